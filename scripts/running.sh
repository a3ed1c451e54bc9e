# For scripts that run the built programs: sourced, not run. Needs `set -euo pipefail`.
# Gives `work`, a directory that is gone with the script, and ends what `run` has started.

target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
started=()

finish() {
  local status=$?
  if [ $status != 0 ]; then
    tail -n 40 "$work"/*.log >&2 || true
  fi
  if [ ${#started[@]} != 0 ]; then
    kill "${started[@]}" 2> /dev/null || true
    wait "${started[@]}" 2> /dev/null || true
  fi
  rm -rf "$work"
  return $status
}
trap finish EXIT

# have PART COMMAND...: whether all the named commands are there.
have() {
  local part=$1 command
  shift
  for command in "$@"; do
    command -v "$command" > /dev/null || { lacks "$part" "$command"; return 1; }
  done
}

# lacks PART WHAT: says that the part is skipped; in CI nothing is.
lacks() {
  if [ -n "${CI:-}" ]; then
    echo "$1: $2 is not installed" >&2
    exit 1
  fi
  echo "SKIPPED: $1 ($2 is not installed)"
}

# run NAME COMMAND...: in the background, its output in NAME.log.
run() {
  local name=$1
  shift
  "$@" > "$work/$name.log" 2>&1 &
  started+=($!)
}

# eventually SECONDS WHAT COMMAND...: until the command succeeds.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > /dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then
      echo "in time it did not happen that $what" >&2
      return 1
    fi
    sleep 0.05
  done
}

# start_server SETTINGS...: ours, on a free port; gives `server`, its address.
start_server() {
  run server "$target/debug/config-server" --server.address=127.0.0.1 --server.port=0 \
    --config-bus.data-dir="$work/data" "$@"
  eventually 30 "the server serves" grep -q ' serving ' "$work/server.log"
  server=http://$(sed -n 's/.* serving address=\([^ ]*\).*/\1/p' "$work/server.log")
}
