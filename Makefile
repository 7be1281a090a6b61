# make            the same as make test
# make demo       the whole product on this machine; ONCE=1 stops it by itself
# make test       formatting, lints, every test, checks of generated files
# make e2e        the chart, Flux, clusters that go dark or are hostile, crashes, mass deletions, and
#                 a real Prometheus that looks on; CI runs it beside make test
# make mutants    does each mutant to the ledger: the tests that it names must fail
# make prove     the proofs at length, about an hour: a crash at each write, model, soup, callers
# make bench      figures, as tables and in target/bench.jsonl
# make image      an image of the released program, without a container engine
# make generate   rewrite what is generated: crds/, and of the chart roles and README.md
# make setup      install what the others need, or say what to install

.DEFAULT_GOAL := test
.PHONY: bench demo e2e generate help image mutants prove setup test

help:
	@sed -n 's/^# //p' Makefile

setup:
	@tests/setup

demo: setup
	@examples/demo

test: setup
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	@tests/controlplane/assets >/dev/null
	cargo test --quiet -- --skip resources:: --skip observe:: --skip chart:: --skip flux::
	@# These wait for controllers far more than they work.
	RUST_TEST_THREADS=12 cargo test --quiet --test it -- resources:: observe:: \
	    --skip observe::prometheus:: \
	    --skip resources::hostile:: --skip resources::crashes:: --skip resources::dark:: \
	    --skip resources::abandoned:: --skip resources::identity:: --skip resources::brake::

e2e: setup
	@tests/controlplane/assets >/dev/null
	@tests/prometheus >/dev/null
	@tests/tools/assets >/dev/null
	@tests/tools/checkov >/dev/null
	@tests/tools/definitions >/dev/null
	@tests/tools/flux >/dev/null
	RUST_TEST_THREADS=6 cargo test --quiet --test it -- \
	    chart:: flux:: resources::dark:: resources::abandoned:: resources::identity:: \
	    resources::brake:: observe::prometheus::
	@# And these work far more than they wait.
	cargo test --quiet --test it -- resources::hostile:: resources::crashes::

mutants: setup
	@tests/mutants/run

prove: setup
	@tests/controlplane/assets >/dev/null
	CRASH_PLANS=all cargo test --quiet --test it -- --nocapture resources::crashes
	CASES=1500 SEED=$$(date +%s) SOUP_SECONDS=3000 CALLERS=100000 \
	    cargo test --quiet --test it -- --nocapture \
	    ledger::model ledger::soup ledger::cancellation ledger::kills

bench: setup
	@tests/controlplane/assets >/dev/null
	@tests/tools/assets >/dev/null
	@tests/tools/flux >/dev/null
	@rm -f target/bench.jsonl
	cargo bench --bench ledger --bench tenants --bench sovereigns \
	    --bench operations

image:
	@image/layout

generate:
	UPDATE=1 cargo test --quiet --test manifests
