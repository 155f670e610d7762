"""Makes ring.json: the mapping of shardring rings, by a program that shares no code with shardring.

usage: python3 make_ring.py > ring.json

Written from the definitions in src/placement/ring/virtual-nodes.ts and src/placement/table/slot-table.ts, and from the XXH32
specification (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). Only ids in ASCII are used, for which
Python's order of strings and JavaScript's are the same.
"""

import bisect
import json
import random

M = 0xFFFFFFFF
P1, P2, P3, P4, P5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1


def rotl(x, r):
    return ((x << r) | (x >> (32 - r))) & M


def xxh32(data, seed):
    n, i = len(data), 0

    def lane(at):
        return int.from_bytes(data[at:at + 4], "little")

    if n >= 16:
        acc = [(seed + P1 + P2) & M, (seed + P2) & M, seed & M, (seed - P1) & M]
        while i + 16 <= n:
            for j in range(4):
                acc[j] = rotl((acc[j] + lane(i + 4 * j) * P2) & M, 13) * P1 & M
            i += 16
        h = (rotl(acc[0], 1) + rotl(acc[1], 7) + rotl(acc[2], 12) + rotl(acc[3], 18)) & M
    else:
        h = (seed + P5) & M
    h = (h + n) & M
    while i + 4 <= n:
        h = rotl((h + lane(i) * P3) & M, 17) * P4 & M
        i += 4
    while i < n:
        h = rotl((h + data[i] * P5) & M, 11) * P1 & M
        i += 1
    h = (h ^ (h >> 15)) * P2 & M
    h = (h ^ (h >> 13)) * P3 & M
    return h ^ (h >> 16)


def fmix32(x):
    x = (x ^ (x >> 16)) * 0x85EBCA6B & M
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & M
    return x ^ (x >> 16)


def points(nodes, virtual_nodes, seed):
    ring = []
    for node in nodes:
        name = node["id"].encode()
        h1, h2 = xxh32(name, seed), xxh32(name, seed ^ 0x5BD1E995)
        for i in range(int(node.get("weight", 1) * virtual_nodes + 0.5)):
            ring.append((fmix32(fmix32((h1 + i * 0x9E3779B9) & M) ^ h2), node["id"]))
    return sorted(ring)


def routing_key(key):
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1:end] if start != -1 and end > start + 1 else key


def preference(ring, nodes, position, count):
    zones = {n["id"]: n.get("zone", ("alone", n["id"])) for n in nodes}
    start = bisect.bisect_left(ring, (position, ""))
    order = []
    for step in range(len(ring)):
        node = ring[(start + step) % len(ring)][1]
        if node not in order:
            order.append(node)
        # Only zones can make it necessary to look further than `count` nodes.
        if len(order) == len(nodes) or (len(order) == count and len(set(zones.values())) == len(nodes)):
            break
    firsts, seen = [], set()
    for node in order:
        if zones[node] not in seen:
            seen.add(zones[node])
            firsts.append(node)
    return (firsts + [n for n in order if n not in firsts])[:count]


CONFIGURATIONS = [
    {"nodes": [{"id": i} for i in "abc"], "virtualNodes": 4, "slots": 256, "hashSeed": 0},
    {"nodes": [{"id": f"node-{i}"} for i in range(10)], "virtualNodes": 512, "slots": 2**18, "hashSeed": 0},
    {"nodes": [{"id": f"node-{i}"} for i in range(100)], "virtualNodes": 160, "slots": 2**18, "hashSeed": 0},
    {"nodes": [{"id": "1", "weight": 2}, {"id": "12", "weight": 0.5}, {"id": "x"}, {"id": "2x", "weight": 3.25}],
     "virtualNodes": 512, "slots": 2**16, "hashSeed": 0xDEADBEEF},
    {"nodes": [{"id": f"n{i}", "zone": f"z{i % 3}"} for i in range(9)] + [{"id": "lone"}],
     "virtualNodes": 160, "slots": 2**18, "hashSeed": 7},
]


def keys(count):
    rng = random.Random(20261121)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789:_-{}"
    extra = ["", "{}", "{a}", "x{a}y", "{", "}{", "a{}b{c}", "__proto__", "é", "日本語のキー", "😀" * 20, "\0", "x" * 5000]
    made = ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 60))) for _ in range(count - len(extra))]
    return extra + made


def main():
    out = []
    for configuration in CONFIGURATIONS:
        nodes, slots = configuration["nodes"], configuration["slots"]
        ring = points(nodes, configuration["virtualNodes"], configuration["hashSeed"])
        width = 2**32 // slots
        count = min(3, len(nodes))
        cases = []
        for key in keys(400):
            position = xxh32(routing_key(key).encode(), configuration["hashSeed"])
            slot = position // width
            cases.append([key, position, preference(ring, nodes, slot * width, count)])
        out.append({**configuration, "cases": cases})
    print(json.dumps(out, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
