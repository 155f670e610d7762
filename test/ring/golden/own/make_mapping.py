"""Makes mapping.json: where 10,000 keys are, in several configurations of the ring. If a release changes it, keys move.

usage: python3 make_mapping.py > mapping.json

Key i is made by the rule of key(i), which test/support/golden-places.ts has too. Each configuration has one text for each place
of the preference list: two characters a key, the node's index in `nodes` as a number to the base 36.
"""

import json

from make_ring import points, preference, routing_key, xxh32

KEYS = 10_000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

CONFIGURATIONS = [
    {"nodes": [{"id": i} for i in "abcd"], "virtualNodes": 512, "slots": 2**18, "hashSeed": 0, "places": 3},
    {"nodes": [{"id": f"node-{i}"} for i in range(10)], "virtualNodes": 512, "slots": 2**18, "hashSeed": 0, "places": 2},
    {"nodes": [{"id": f"node-{i}"} for i in range(100)], "virtualNodes": 512, "slots": 2**18, "hashSeed": 0, "places": 1},
    {"nodes": [{"id": f"10.0.{i // 250}.{i % 250}:6379"} for i in range(1000)],
     "virtualNodes": 160, "slots": 2**20, "hashSeed": 1, "places": 1},
    {"nodes": [{"id": f"cache-{i}", "weight": [1, 2, 0.5, 3.25][i % 4]} for i in range(12)],
     "virtualNodes": 160, "slots": 2**16, "hashSeed": 0xDEADBEEF, "places": 2},
    {"nodes": [{"id": f"n{i}", "zone": f"z{i % 3}"} for i in range(9)] + [{"id": "lone", "weight": 2}],
     "virtualNodes": 512, "slots": 2**18, "hashSeed": 4294967295, "places": 3},
]


def key(i):
    kind, n = i % 10, i // 10
    return [
        f"user:{n}",
        f"session:{n * 2654435761 % 2**32:08x}",
        f"{{tenant-{n % 97}}}:order:{n}",
        f"{n:08x}-{n * 7:04x}-4{n * 13 % 4096:03x}-a{n * 17 % 4096:03x}-{n * 40503 % 2**32:012x}",
        f"ключ:{n}",
        f"été-{n}-{{}}",
        "\U0001F600" * (n % 5 + 1) + str(n),
        f"/static/{n}/" + "path/" * (n % 60),
        f"{n}{{",
        f"a{n}\u0000\u007f|~}}",
    ][kind]


def main():
    out = []
    for configuration in CONFIGURATIONS:
        nodes, slots, places = configuration["nodes"], configuration["slots"], configuration["places"]
        ring = points(nodes, configuration["virtualNodes"], configuration["hashSeed"])
        index = {node["id"]: i for i, node in enumerate(nodes)}
        width = 2**32 // slots
        lists = ["" for _ in range(places)]
        known = {}
        for i in range(KEYS):
            slot = xxh32(routing_key(key(i)).encode(), configuration["hashSeed"]) // width
            if slot not in known:
                known[slot] = preference(ring, nodes, slot * width, places)
            for place, node in enumerate(known[slot]):
                lists[place] += DIGITS[index[node] // 36] + DIGITS[index[node] % 36]
        out.append({**configuration, "places": lists})
    print(json.dumps({"keys": KEYS, "configurations": out}, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
