"""Makes ranges.json: histories of HashRanges, by a program that shares no code with shardring.

usage: python3 make_ranges.py > ranges.json

Written from the definitions in src/placement/hash-ranges/apportion.ts, range-table.ts, slot-ranges.ts and failover-rows.ts. Here the
state is the list of all slots' owners, shares are reckoned in fractions, and slots are handed over one at a time. Each
history has a list of steps; after each stand the ranges as [first slot, id], and the first three nodes of some slots.
"""

import json
from fractions import Fraction

from make_rendezvous import hashes, score, spread


def apportion(nodes, slots):
    counts = {node["id"]: 0 for node in nodes}
    heap = sorted(nodes, key=lambda node: node["id"])
    for _ in range(slots):
        best = max(heap, key=lambda node: Fraction(node["weight"]) / (2 * counts[node["id"]] + 1))
        counts[best["id"]] += 1
    return counts


def runs(owners):
    found = []
    for slot, owner in enumerate(owners):
        if not found or found[-1][1] != owner:
            found.append([slot, owner, 0])
        found[-1][2] += 1
    return found


def give(owners, source, target, count):
    """One range after the other, as giveSlots chooses them."""
    before = runs(owners)
    pieces = []
    for place, (first, owner, length) in enumerate(before):
        if owner == source:
            behind = place > 0 and before[place - 1][1] == target
            ahead = place + 1 < len(before) and before[place + 1][1] == target
            pieces.append((length, behind, ahead, first))
    pieces.sort(reverse=True)
    after = list(owners)
    while count > 0:
        length, _, _, first = pieces[0]
        if length > count:
            exact = [piece for piece in pieces if piece[0] == count]
            joining = [piece for piece in pieces if piece[0] > count and piece[2]]
            length, _, _, first = (exact or joining or pieces)[0]
        taken = min(length, count)
        end = first + length
        after[end - taken:end] = [target] * taken
        count -= taken
        pieces = pieces[1:]
    return after


def settle(owners, nodes, changed, gives):
    targets = apportion(nodes, len(owners))
    ids = sorted(node["id"] for node in nodes)
    counts = {name: owners.count(name) for name in ids}
    own, target = owners.count(changed), targets.get(changed, 0)
    surplus = {name: (counts[name] - targets[name]) * (-1 if gives else 1) for name in ids if name != changed}
    parts = dict.fromkeys(surplus, 0)
    for _ in range(max(0, own - target if gives else target - own)):
        # The fullest gives one; of equals the first.
        top = max(surplus.values())
        name = [name for name in surplus if surplus[name] == top][0]
        surplus[name] -= 1
        parts[name] += 1
    for name in sorted(parts, key=lambda name: (-parts[name], name)):
        if parts[name]:
            owners = give(owners, changed, name, parts[name]) if gives else give(owners, name, changed, parts[name])
    return owners


def rows(owners, nodes, seed):
    listed = []
    for slot in range(0, len(owners), 7):
        names = [node["id"] for node in nodes]
        scores = [score(slot, *hashes(node, seed), node["weight"]) for node in nodes]
        owner = names.index(owners[slot])
        order = sorted(range(len(nodes)), key=lambda index: (index != owner, scores[index], names[index]))
        listed.append([names[index] for index in spread(order, nodes)[:3]])
    return listed


def history(nodes, slots, seed, changes):
    nodes = [{"weight": 1, **node} for node in nodes]
    counts = apportion(nodes, slots)
    owners = [name for name in sorted(counts) for _ in range(counts[name])]
    steps = []
    for kind, argument in [("create", None), *changes]:
        if kind == "join":
            node = {"weight": 1, **argument}
            nodes = nodes + [node]
            owners = settle(owners, nodes, node["id"], False)
        elif kind == "leave":
            nodes = [node for node in nodes if node["id"] != argument]
            owners = settle(owners, nodes, argument, True)
        elif kind == "reweigh":
            name, weight = argument
            gives = weight < next(node["weight"] for node in nodes if node["id"] == name)
            nodes = [{**node, "weight": weight} if node["id"] == name else node for node in nodes]
            owners = settle(owners, nodes, name, gives)
        steps.append({
            "kind": kind, "argument": argument,
            "ranges": [[first, owner] for first, owner, _ in runs(owners)],
            "rows": rows(owners, nodes, seed),
        })
    return steps


def main():
    out = []
    for nodes, slots, seed, changes in [
        ([{"id": "b"}, {"id": "a"}, {"id": "c"}], 256, 0,
         [("join", {"id": "d"}), ("join", {"id": "aa", "weight": 2.5}), ("leave", "b"), ("reweigh", ["d", 3]),
          ("reweigh", ["a", 0.25]), ("join", {"id": "b"}), ("leave", "aa")]),
        ([{"id": f"n{i}", "weight": [1, 0.5, 3][i % 3], "zone": f"z{i % 4}"} for i in range(11)], 1024, 7,
         [("leave", "n5"), ("join", {"id": "n5", "zone": "z9"}), ("leave", "n0"), ("leave", "n2"),
          ("reweigh", ["n8", 0.125]), ("join", {"id": "lone", "weight": 4}), ("leave", "n10")]),
    ]:
        out.append({"nodes": nodes, "slots": slots, "hashSeed": seed, "steps": history(nodes, slots, seed, changes)})
    print(json.dumps(out, separators=(",", ":")))


if __name__ == "__main__":
    main()
