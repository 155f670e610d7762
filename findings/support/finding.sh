# What every finding does. Source it, then: install PACKAGE@VERSION ..., and see PROGRAM EXPECTED.
set -euo pipefail

folder=$(mktemp -d)
server_pid=''
cleanup() {
  if [ -n "$server_pid" ]; then kill "$server_pid" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

# Without install scripts: none of these packages needs one.
install() {
  npm init -y >/dev/null
  npm install --silent --no-audit --no-fund --ignore-scripts "$@" >/dev/null
}

# Starts a server on a free port of the loopback, and says its URL in $REDIS_URL.
start_redis() {
  local port
  port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$folder" >/dev/null &
  server_pid=$!
  export REDIS_URL="redis://127.0.0.1:$port"
  for _ in $(seq 100); do
    if redis-cli -p "$port" ping >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo 'redis-server did not start' >&2
  return 1
}

# Runs a module and compares what it prints.
see() {
  local program=$1 expected=$2 printed
  printf '%s\n' "$program" >program.mjs
  printed=$(node program.mjs)
  printf '%s\n' "$printed"
  if [ "$printed" != "$expected" ]; then
    printf 'It was:\n%s\n' "$expected" >&2
    return 1
  fi
}
