# Sourced by scripts that print a folder with programs built from a Go module, once per machine. The
# script says `title`, `names` (the programs), `source_folder` (with go.mod) and `what` (they are
# for), defines `compile FOLDER`, and calls `provide`. Progress and complaints go to standard error.

cache="${XDG_CACHE_HOME:-$HOME/.cache}/catalyst-operator/$title"

say() { echo "$title: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# missing FOLDER: the names that FOLDER does not hold.
missing() {
  local name
  for name in "${names[@]}"; do
    [[ -x "$1/$name" ]] || echo "$name"
  done
}

# wanted WORD: what go.mod says after WORD.
wanted() {
  awk -v word="$1" '$1 == word && $2 ~ /^v?[0-9]/ { print $2; exit }' "$source_folder/go.mod"
}

# source_hash names the state of the sources: another state is built into another folder.
source_hash() {
  (cd "$source_folder" && LC_ALL=C && find . -maxdepth 1 \( -name 'go.*' -o -name '*.go' \) \
    -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-16)
}

require_go() {
  local want have advice
  want=$(wanted go)
  advice="install Go $want or newer from https://go.dev/dl/"
  command -v go >/dev/null || fail "$what are built with Go, which is not on PATH; $advice"
  # Asked outside the module, where an old Go still answers.
  have=$(cd / && go env GOVERSION)
  have=${have#go}
  [[ "$(printf '%s\n' "$want" "$have" | sort -V | head -n 1)" == "$want" ]] ||
    fail "$what need Go $want and this is Go $have; $advice"
}

# go_build FLAG...: builds in the module.
go_build() {
  (cd "$source_folder" && go build -trimpath "$@") >&2 9>&- ||
    fail "$what did not build; what Go said is above (it needs 4 GB in its cache and the Go module proxy)"
}

# tell_time says every 20 seconds that the build goes on, for as long as this script lives.
tell_time() {
  SECONDS=0
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    ((SECONDS % 20)) || say "building for $SECONDS s"
  done
}

# build FOLDER: makes FOLDER, which appears only when it is complete.
build() {
  local folder=$1
  unfinished=$(mktemp -d "$cache/unfinished.XXXXXX")
  say "building $what (minutes when Go has none of it in its own cache, once per machine)"
  tell_time </dev/null >&2 9>&- &
  clock=$!
  compile "$unfinished"
  chmod 0755 "$unfinished"
  # An incomplete folder of that name can only be the rest of somebody's clean-up.
  rm -rf "$folder"
  mv -T "$unfinished" "$folder"
  say "built in $SECONDS s: $folder"
}

clean_up() {
  [[ -z "${clock:-}" ]] || kill "$clock" 2>/dev/null || true
  [[ -z "${unfinished:-}" ]] || rm -rf "$unfinished"
}

# provide: prints the folder, building it where it is not there yet.
provide() {
  local folder
  folder="$cache/$(source_hash)"
  if [[ -n "$(missing "$folder")" ]]; then
    [[ "$(uname -s)" == Linux ]] || fail "$what run on Linux only; run the tests in a Linux machine or container"
    require_go
    mkdir -p "$cache"
    trap clean_up EXIT
    exec 9>"$cache/lock"
    if ! flock --nonblock 9; then
      say "waiting for another build to end"
      flock 9
    fi
    # That other build may have been of the same sources.
    [[ -z "$(missing "$folder")" ]] || build "$folder"
  fi
  echo "$folder"
}
