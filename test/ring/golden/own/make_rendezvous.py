"""Makes rendezvous.json: draws, scores and mappings of Rendezvous and RendezvousTable, by a program that shares no code
with shardring.

usage: python3 make_rendezvous.py > rendezvous.json

Written from the definitions in src/placement/rendezvous/exponential.ts, rendezvous-score.ts and slot-scores.ts. A double is written
as the 16 hex digits of its bits. The keys and the form of the places are those of make_mapping.py. Rows of a table are
worked out from the scores of all nodes, without a race.
"""

import json
import math
import random
import struct

from make_mapping import DIGITS, KEYS, key
from make_ring import M, fmix32, routing_key, xxh32

LN2, SQRT2 = 0.6931471805599453, 1.4142135623730951
GOLDEN = 0x9E3779B9


def exponential(bits):
    m, e = math.frexp(bits + 0.5)
    m, e = 2 * m, e - 1
    if m > SQRT2:
        m, e = m / 2, e + 1
    z = (m - 1) / (m + 1)
    q = z * z
    p = 1 / 17
    for n in (15, 13, 11, 9, 7, 5, 3, 1):
        p = 1 / n + q * p
    return (32 - e) * LN2 - (2 * z) * p


def hashes(node, seed):
    name = node["id"].encode()
    return xxh32(name, seed), xxh32(name, seed ^ 0x5BD1E995)


def score(x, h1, h2, weight):
    return exponential(fmix32(fmix32((x + h1) & M) ^ h2)) / weight


def slot_scorer(node, slots, seed):
    b = slots.bit_length() - 1
    h1, h2 = hashes(node, seed)
    k = [fmix32(fmix32((h1 + i * GOLDEN) & M) ^ h2) for i in range(9)]

    def slot_score(slot):
        x = slot
        for r in range(1, 5):
            x = (x * (k[2 * r - 1] | 1) + k[2 * r]) % slots
            x ^= x >> ((b + 1) // 2)
        return exponential((x << (32 - b)) | (k[0] >> b)) / node.get("weight", 1)

    return slot_score


def spread(order, nodes):
    """First nodes of their zones before all others. A node of no zone has one of its own."""
    zones = [node.get("zone", ("alone", node["id"])) for node in nodes]
    firsts, seen = [], set()
    for index in order:
        if zones[index] not in seen:
            seen.add(zones[index])
            firsts.append(index)
    return firsts + [index for index in order if index not in firsts]


def order_of(nodes, scores):
    return spread(sorted(range(len(nodes)), key=lambda index: (scores[index], nodes[index]["id"])), nodes)


def places(configuration, wanted):
    nodes, seed, slots = configuration["nodes"], configuration["hashSeed"], configuration.get("slots")
    all_hashes = [hashes(node, seed) for node in nodes]
    scorers = [slot_scorer(node, slots, seed) for node in nodes] if slots else []
    known = {}
    lists = ["" for _ in range(wanted)]
    for i in range(KEYS):
        position = xxh32(routing_key(key(i)).encode(), seed)
        x = position * slots >> 32 if slots else position
        if x not in known:
            if slots:
                scores = [slot_score(x) for slot_score in scorers]
            else:
                scores = [score(x, h1, h2, n.get("weight", 1)) for n, (h1, h2) in zip(nodes, all_hashes)]
            known[x] = order_of(nodes, scores)[:wanted]
        for place, index in enumerate(known[x]):
            lists[place] += DIGITS[index // 36] + DIGITS[index % 36]
    return lists


FEW = [{"id": i} for i in "abcd"]
TEN = [{"id": f"node-{i}"} for i in range(10)]
WEIGHTED = [{"id": f"cache-{i}", "weight": [1, 2, 0.5, 3.25][i % 4]} for i in range(12)]
ZONED = [{"id": f"n{i}", "zone": f"z{i % 3}"} for i in range(9)] + [{"id": "lone", "weight": 2}]
MANY = [{"id": f"10.0.0.{i}:6379"} for i in range(60)]

CONFIGURATIONS = [
    ({"nodes": FEW, "hashSeed": 0}, 2),
    ({"nodes": WEIGHTED, "hashSeed": 0xDEADBEEF}, 2),
    ({"nodes": ZONED, "hashSeed": 4294967295}, 3),
    ({"nodes": FEW, "slots": 2**8, "hashSeed": 7}, 4),
    ({"nodes": TEN, "slots": 2**16, "hashSeed": 0}, 3),
    ({"nodes": MANY, "slots": 2**17, "hashSeed": 1}, 2),
    ({"nodes": WEIGHTED, "slots": 2**16, "hashSeed": 0xDEADBEEF}, 2),
    ({"nodes": ZONED, "slots": 2**16, "hashSeed": 4294967295}, 3),
]


def hex_of(double):
    return struct.pack(">d", double).hex()


def main():
    rng = random.Random(20261121)
    bits = [0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 0xB504F333, 0xB504F334, 0x5A827999, 0x5A82799A]
    bits += [rng.getrandbits(32) >> rng.randrange(32) for _ in range(500)]
    scores = []
    for i in range(200):
        x, h1, h2 = (rng.getrandbits(32) for _ in range(3))
        weight = rng.choice([1, 2, 0.1, rng.random() * 10])
        scores.append([x, h1, h2, weight, hex_of(score(x, h1, h2, weight))])
    print(json.dumps({
        "exponentials": [[b, hex_of(exponential(b))] for b in bits],
        "scores": scores,
        "configurations": [{**c, "places": places(c, wanted)} for c, wanted in CONFIGURATIONS],
    }, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
