#!/bin/sh
# A redis-server on Debian or Ubuntu, without root and without a change to the system.
#
# usage: rootless-redis.sh CACHE_DIR
#
# Leaves CACHE_DIR/redis-server, a script that starts the downloaded binary with its own libraries, and prints its path.
# Two runs at once are harmless: each works in a directory of its own, and the last step is one rename.
set -eu

cache=$1
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
work=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/debs" "$work/archives/partial" "$work/lists/partial"
cd "$work/debs"

# Everything apt writes goes below $work. The system's package lists and its list of installed packages are only read.
run_apt() {
  tool=$1
  shift
  "$tool" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User= -qq "$@"
}

# redis-tools is named because it holds the binary itself. The rest is what redis-server needs and this system lacks; apt
# may be unable to say, on a system with broken dependencies, and then the try below decides.
fetch() {
  missing=$(run_apt apt-get "$@" install --no-install-recommends --print-uris redis-server redis-tools | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p")
  # shellcheck disable=SC2086 # one word per package is what is wanted
  run_apt apt-get "$@" download $(printf '%s\n' redis-server redis-tools $missing | sort -u)
}

# The system's lists cost nothing but may be absent or too old; lists of our own cost about 20 MB of download.
if ! fetch >&2; then
  run_apt apt-get -o "Dir::State::lists=$work/lists" update >&2
  fetch -o "Dir::State::lists=$work/lists" >&2
fi

for deb in ./*.deb; do dpkg -x "$deb" "$work/root"; done

# Runs of different users or releases never meet, because the unpacked tree has a name of its own.
root=$cache/root.$$.$(basename "$work")
mv "$work/root" "$root"
libraries=$(find "$root" -name '*.so*' -exec dirname {} + | sort -u | tr '\n' ':')
cat > "$work/redis-server" <<SCRIPT
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$root/usr/bin/redis-server' "\$@"
SCRIPT
chmod 755 "$work/redis-server"
"$work/redis-server" --version >&2
mv "$work/redis-server" "$cache/redis-server"
echo "$cache/redis-server"
