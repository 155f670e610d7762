"""Writes cases.json: the shard names and keys that ring.go is asked about.

usage: python3 make_cases.py > cases.json
"""

import json
import random

random.seed(9)

keys = ["", " ", "a", "\x00", "\x7f", "\n", "__proto__", "constructor", "'", '"', "\\"]
keys += [f"key:{i}" for i in range(400)]
keys += ["%032x" % random.getrandbits(128) for _ in range(200)]
keys += ["x" * n for n in range(1, 130)] + ["long" * 250, "é" * 300]
# Hash tags: whole, empty, unclosed, closed before opened, nested, two, at the ends, not in ASCII.
keys += [f"{{user:{i}}}:name" for i in range(60)] + [f"{{user:{i}}}:mail" for i in range(60)]
keys += ["{}", "{}a", "a{}", "{", "}", "}{", "}{a", "{a", "a{b", "a}b", "{{a}}", "{a}{b}", "a{b}c{d}e", "{}{a}", "{é}x", "{😀}", "x{ }y", "a{b{c}d}e"]
keys += ["é", "ß", "中文", "日本語キー", "😀", "👩‍👩‍👧", "a\u0300", "\ufeff", "\ufffd", "\u2028"]
keys += ["".join(chr(random.choice([random.randrange(0x20, 0x7F), random.randrange(0xA0, 0x800), random.randrange(0x800, 0xD800), random.randrange(0x1F300, 0x1F600)])) for _ in range(random.randrange(1, 40))) for _ in range(150)]

shards = {
    "one": ["shard1"],
    "three": ["shard1", "shard2", "shard3"],
    "ten, by address": [f"10.0.0.{i}:6379" for i in range(10)],
    "forty": [f"redis-{i:02d}.cache.example.com" for i in range(40)],
    "two hundred": [f"s{i}" for i in range(200)],
    # Their scores for key:7 have the same high 32 bits.
    "alike, second wins": ["s23999", "s37967"],
    "alike, first wins": ["s16760", "s49873"],
    "not in ASCII": ["é", "中文", "😀", "a b", " ", "x" * 100],
}
json.dump({"keys": keys, "shards": shards}, __import__("sys").stdout, ensure_ascii=True)
print()
