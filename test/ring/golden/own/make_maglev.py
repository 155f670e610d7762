"""Makes maglev.json: the mapping of Maglev, by a program that shares no code with shardring.

usage: python3 make_maglev.py > maglev.json

Written from the definitions in src/placement/maglev/maglev.ts and maglev-turns.ts. The keys and the form of the places are those
of make_mapping.py; the turns are a list of all turns that could come, sorted.
"""

import json

from make_mapping import DIGITS, KEYS, key
from make_rendezvous import FEW, MANY, TEN, WEIGHTED, ZONED, hashes, spread
from make_ring import routing_key, xxh32


def turns(nodes, slots):
    weights = [node.get("weight", 1) for node in nodes]
    rates = [weight / max(weights) for weight in weights]
    # By this time all together have had more turns than there are slots.
    coming = []
    for index, rate in enumerate(rates):
        k = 0
        while k / rate <= slots / (sum(rates) - 1e-9) + 2:
            coming.append((k / rate, index))
            k += 1
    assert len(coming) >= slots
    return [index for _, index in sorted(coming)[:slots]]


def owners_of(nodes, slots, seed):
    order = sorted(range(len(nodes)), key=lambda index: nodes[index]["id"])
    ordered = [nodes[index] for index in order]
    shift = 33 - slots.bit_length()
    places = []
    for node in ordered:
        h1, h2 = hashes(node, seed)
        places.append([(h1 >> shift), (h2 >> shift) | 1, 0])
    owners = [None] * slots
    for turn in turns(ordered, slots):
        place = places[turn]
        while True:
            slot = (place[0] + place[2] * place[1]) % slots
            place[2] += 1
            if owners[slot] is None:
                owners[slot] = order[turn]
                break
    return owners


def preference(nodes, owners, slot):
    order = list(dict.fromkeys(owners[slot:] + owners[:slot]))
    return spread(order, nodes)


def main():
    out = []
    for nodes, slots, seed, wanted in [
        (FEW, 2**8, 7, 4),
        (TEN, 2**16, 0, 3),
        (MANY, 2**17, 1, 1),
        (WEIGHTED, 2**12, 0xDEADBEEF, 2),
        (ZONED, 2**12, 4294967295, 3),
    ]:
        owners = owners_of(nodes, slots, seed)
        lists = ["" for _ in range(wanted)]
        known = {}
        for i in range(KEYS):
            slot = xxh32(routing_key(key(i)).encode(), seed) * slots >> 32
            if slot not in known:
                known[slot] = preference(nodes, owners, slot)[:wanted] if wanted > 1 else [owners[slot]]
            for place, index in enumerate(known[slot]):
                lists[place] += DIGITS[index // 36] + DIGITS[index % 36]
        out.append({"nodes": nodes, "slots": slots, "hashSeed": seed, "places": lists})
    print(json.dumps(out, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
