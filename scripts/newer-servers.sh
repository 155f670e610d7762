#!/usr/bin/env bash
# The newest Redis and Valkey that a later Debian has, on a Debian of any age (elsewhere with DEBIAN_MIRROR), without a
# change to the system.
#
# usage: scripts/newer-servers.sh
#
# Prints the paths of redis-server and valkey-server, one a line, and on stderr what they are. They are unpacked into
# node_modules/.cache/shardring-servers/SUITE, with the C library they were built for. A run that finds them there fetches
# nothing. Two runs at once are harmless: each works in a folder of its own, and the last step is one rename.
set -euo pipefail

suite=forky # Debian 14. On 2026-11-29 it had Redis 8.0.6 and Valkey 9.1.2.
programs=(redis-server valkey-server)

cd "$(dirname "$0")/.."
mkdir -p node_modules/.cache/shardring-servers
cache=$(cd node_modules/.cache/shardring-servers && pwd)
folder=$cache/$suite

# Fails unless both programs run.
show() {
  local program
  for program in "${programs[@]}"; do "$folder/$program" --version >&2 || return 1; done
  printf '%s\n' "${programs[@]/#/$folder/}"
}

give_up() {
  cat >&2 <<MESSAGE
newer-servers.sh: $1
The newer servers come from packages of Debian, by apt. To test with a server of your own instead:
  REDIS_SERVER=/path/to/redis-server npm run test:server
MESSAGE
  exit 1
}

if [ -e "$folder" ]; then
  show && exit
  rm -rf "$folder"
fi

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || give_up "there is no $tool here."
done

work=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs"

# The mirror that this system already takes Debian from; another system has to be told one.
. /etc/os-release
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' |
  sed -n "s/^${VERSION_CODENAME:-unknown} //p" | head -n 1)
[ "${ID:-}" = debian ] && [ -n "$mirror" ] || mirror=${DEBIAN_MIRROR:-}
[ -n "$mirror" ] || give_up "this is no Debian; DEBIAN_MIRROR=URL names a mirror of it to take $suite from."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || give_up "$keyring is missing; the package debian-archive-keyring has it."
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$work/sources.list"

# Everything apt writes goes below $work, and of the system's packages it knows nothing.
run_apt() {
  local tool=$1
  shift
  "$tool" -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::State::lists=$work/lists" -o Dir::State::status=/dev/null \
    -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives" \
    -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}

run_apt apt-get update >&2 || give_up "the package lists of $suite could not be fetched from $mirror."

# The binaries are in the tools' packages. Of all that these ask for, programs need the libraries only.
packages=(redis-tools valkey-tools)
libraries=$(run_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances "${packages[@]}" | grep -E '^lib[a-z0-9.+-]*$' | sort -u) ||
  give_up "the packages ${packages[*]} are not in $suite."
# shellcheck disable=SC2086 # one word for each package is what is wanted
(cd "$work/debs" && run_apt apt-get download "${packages[@]}" $libraries >&2) ||
  give_up "the packages of $suite could not be fetched from $mirror."
for archive in "$work"/debs/*.deb; do dpkg-deb --extract "$archive" "$work/$suite"; done

# Each program is started by the dynamic linker that it was built for, which this system's kernel would not choose.
linker=$(find "$work/$suite" -name 'ld-linux*.so.*' -printf '%P\n' -quit)
library_path=$(find "$work/$suite" -name '*.so.*' -printf '%h\n' | sort -u | sed "s|^$work|$cache|" | paste -sd :)
for program in "${programs[@]}"; do
  # One binary serves as server, sentinel and checker of files, by the name it is called by.
  binary=$folder/usr/bin/${program/-server/-check-rdb}
  printf '#!/bin/sh\nexec "%s" --library-path "%s" --argv0 "$0" "%s" "$@"\n' \
    "$folder/$linker" "$library_path" "$binary" >"$work/$suite/$program"
  chmod 755 "$work/$suite/$program"
done

# Where another run was quicker, its folder stays.
mv -T "$work/$suite" "$folder" 2>/dev/null || [ -e "$folder" ]
show || give_up "what was fetched does not run on this system."
