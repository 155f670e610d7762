#!/usr/bin/env bash
# Runs the tests that depend on the server on each of the newer servers. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."

servers=$(scripts/newer-servers.sh)
status=0
for server in $servers; do
  "$server" --version
  REDIS_SERVER=$server npm run --silent test:server -- "$@" || status=1
done
exit $status
