"""Makes table.json: rows of JumpTable, by a program that shares no code with shardring.

usage: python3 make_table.py > table.json

Written from the header of src/placement/jump/jump-table.ts and the C++ of arXiv:1406.2294, figure 1.
"""

import json

M32, M64 = 2**32 - 1, 2**64 - 1


def fmix32(x):
    x &= M32
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & M32
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & M32
    return x ^ (x >> 16)


def jump(key, buckets):
    b, j = -1, 0
    while j < buckets:
        b = j
        key = (key * 2862933555777941757 + 1) & M64
        j = int((b + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return b


def bucket(slot, seed, salt, nodes):
    mixed = (seed + salt * 0x9E3779B9) & M32
    high = fmix32(slot ^ fmix32(mixed))
    low = fmix32(slot ^ fmix32(mixed ^ 0x5BD1E995))
    return jump(high << 32 | low, nodes)


def order(slot, seed, nodes):
    found = []
    for salt in range(2 * nodes + 64):
        b = bucket(slot, seed, salt, nodes)
        if b not in found:
            found.append(b)
    return found + [b for b in range(nodes) if b not in found]


def zoned(nodes_in_order, zones):
    seen, firsts, others = set(), [], []
    for node in nodes_in_order:
        if zones[node] in seen:
            others.append(node)
        else:
            seen.add(zones[node])
            firsts.append(node)
    return firsts + others


configurations = [
    {"nodes": 1, "slots": 256, "hashSeed": 0},
    {"nodes": 3, "slots": 256, "hashSeed": 0},
    {"nodes": 10, "slots": 1024, "hashSeed": 7},
    {"nodes": 10, "slots": 256, "hashSeed": 2**32 - 1, "zones": [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]},
    {"nodes": 300, "slots": 256, "hashSeed": 1},
]
for configuration in configurations:
    nodes, slots, seed = (configuration[name] for name in ("nodes", "slots", "hashSeed"))
    rows = []
    for slot in range(slots):
        row = order(slot, seed, nodes)
        if "zones" in configuration:
            row = zoned(row, configuration["zones"])
        rows.append(row[:5])
    configuration["rows"] = rows
print(json.dumps(configurations, separators=(",", ":")))
