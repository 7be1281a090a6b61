# The image of the operator: one program on what it links to, as nobody, without a shell.
# `make image` makes the same without a container engine.
ARG RUST=docker.io/library/rust:1.95-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    install -m 0755 "$(image/program)" /catalyst-operator

FROM ${BASE}
COPY --from=build /catalyst-operator /catalyst-operator
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/catalyst-operator"]
CMD ["run"]
