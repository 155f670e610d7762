"""Makes vectors.json by Redis itself: slots of keys, slots of masters, and the answers of a cluster.

usage: python3 make.py > vectors.json      (Debian: apt install redis-server redis-tools python3; takes less than a minute)

Starts redis-server processes in cluster mode on ports from 17000 on, in folders of their own, and stops them again.

  keys     [key, slot] for strings, by CLUSTER KEYSLOT
  bytes    [bytes in hex, slot] for keys that are no UTF-8, by CLUSTER KEYSLOT
  masters  for some numbers of masters the last slot of each, as redis-cli --cluster create plans them
  shards   a cluster of 5 masters that was really made so, and then had slots moved: CLUSTER SHARDS, and which node
           served or refused a GET of each of the first keys
"""

import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

# The cluster bus takes the ports 10,000 above, which have to stay below those that the system gives out by itself.
FIRST_PORT = 17000
MOST_MASTERS = 100
# With 78 and 87 masters the plan depends on redis-cli's reckoning in 32-bit floats.
MASTERS = [*range(3, 33), 50, 64, 78, 87, MOST_MASTERS]


def request(port, *args):
    """One command, one reply; arrays as lists, errors as strings with a leading minus."""
    def bulk(arg):
        data = arg if isinstance(arg, bytes) else str(arg).encode()
        return b"$%d\r\n%s\r\n" % (len(data), data)

    def reply(stream):
        line = stream.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            data = stream.read(int(rest))
            stream.read(2)
            return data.decode(errors="replace")
        if kind == b"*":
            return [reply(stream) for _ in range(int(rest))]
        return line.decode()

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"*%d\r\n" % len(args) + b"".join(bulk(arg) for arg in args))
        return reply(stream)


def wait_for(is_so):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.1)
    raise TimeoutError


@contextlib.contextmanager
def servers(count):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for port in range(FIRST_PORT, FIRST_PORT + count):
            command = ["redis-server", "--port", str(port), "--cluster-enabled", "yes", "--save", "", "--dir", folder,
                       "--cluster-config-file", f"nodes-{port}.conf", "--cluster-node-timeout", "5000"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in range(FIRST_PORT, FIRST_PORT + count):
            wait_for(lambda: request(port, "PING") == "+PONG")
        yield


def create(masters, answer):
    """Output of redis-cli --cluster create, with this answer to its question."""
    addresses = [f"127.0.0.1:{FIRST_PORT + index}" for index in range(masters)]
    command = ["redis-cli", "--cluster", "create", *addresses]
    return subprocess.run(command, input=answer, capture_output=True, text=True).stdout


def planned(masters):
    found = re.findall(r"Master\[(\d+)\] -> Slots (\d+) - (\d+)", create(masters, "no\n"))
    assert [int(index) for index, _, _ in found] == list(range(masters)), found
    firsts, lasts = ([int(match[place]) for match in found] for place in (1, 2))
    assert firsts == [0, *(last + 1 for last in lasts[:-1])], found
    return lasts


def some_keys():
    random.seed(16)
    keys = ["", " ", "a", "\x00", "\x7f", "\n", "\r\n", "__proto__", "123456789", "foo", "hello"]
    keys += [f"key:{i}" for i in range(400)] + ["%032x" % random.getrandbits(128) for _ in range(200)]
    keys += ["x" * n for n in range(1, 70)] + ["long" * 250, "é" * 6000]
    keys += [f"{{user:{i}}}:name" for i in range(60)] + [f"{{user:{i}}}:mail" for i in range(60)]
    keys += ["{}", "{}a", "a{}", "{", "}", "}{", "}{a", "{a", "a{b", "a}b", "{{a}}", "{a}{b}", "a{b}c{d}e", "{}{a}",
             "{é}x", "x{😀}", "x{ }y", "a{b{c}d}e", "foo{}{bar}", "foo{{bar}}zap", "foo{bar}{zap}", "a}{b}c"]
    keys += ["é", "ß", "中文", "日本語キー", "😀", "\ufeff", "\ufffd", "\u2028"]
    ranges = [(0x20, 0x7F), (0xA0, 0x800), (0x800, 0xD800), (0x1F300, 0x1F600)]
    keys += ["".join(chr(random.randrange(*random.choice(ranges))) for _ in range(random.randrange(1, 40)))
             for _ in range(150)]
    return keys


def some_bytes():
    found = []
    while len(found) < 200:
        data = bytes(random.randrange(256) for _ in range(random.randrange(1, 60)))
        with contextlib.suppress(UnicodeDecodeError):
            data.decode()
            continue
        if b"{" not in data:
            found.append(data)
    return found


def cluster(keys):
    create(5, "yes\n")
    for index in range(5):
        wait_for(lambda: "cluster_state:ok" in request(FIRST_PORT + index, "CLUSTER", "INFO"))
    ids = [request(FIRST_PORT + index, "CLUSTER", "MYID") for index in range(5)]
    # Some slots go elsewhere, so that the ranges are no longer one for each node.
    moves = [(0, 100, 4), (3000, 3001, 2), (16383, 16384, 0)]
    for first, end, owner in moves:
        for slot in range(first, end):
            for index in range(5):
                request(FIRST_PORT + index, "CLUSTER", "SETSLOT", slot, "NODE", ids[owner])
    time.sleep(2)
    shards = request(FIRST_PORT, "CLUSTER", "SHARDS")
    assignments = []
    for shard in shards:
        fields = dict(zip(shard[::2], shard[1::2]))
        node = dict(zip(fields["nodes"][0][::2], fields["nodes"][0][1::2]))
        flat = fields["slots"]
        assignments.append({"node": str(node["port"]), "slots": [list(pair) for pair in zip(flat[::2], flat[1::2])]})
    served = []
    for key in keys:
        owners = [port for port in range(FIRST_PORT, FIRST_PORT + 5)
                  if not str(request(port, "GET", key)).startswith("-MOVED")]
        assert len(owners) == 1, (key, owners)
        served.append(str(owners[0]))
    return {"assignments": assignments, "served": served}


with servers(MOST_MASTERS):
    keys, data = some_keys(), some_bytes()
    print(json.dumps({
        "redis": re.search(r"redis_version:(\S+)", request(FIRST_PORT, "INFO", "server")).group(1),
        "keys": [[key, request(FIRST_PORT, "CLUSTER", "KEYSLOT", key)] for key in keys],
        "bytes": [[item.hex(), request(FIRST_PORT, "CLUSTER", "KEYSLOT", item)] for item in data],
        "masters": {str(count): planned(count) for count in MASTERS},
        "shards": cluster(keys[:400]),
    }, separators=(",", ":")))
