import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fmix32 } from '../../../src/hash/fmix32.ts';
import { xxh32 } from '../../../src/hash/xxh32.ts';
import { nodeHashes } from '../../../src/placement/node-hashes.ts';
import { rendezvousBits, rendezvousScore } from '../../../src/placement/rendezvous/rendezvous-score.ts';

const golden = JSON.parse(readFileSync(new URL('../../ring/golden/own/rendezvous.json', import.meta.url), 'utf8'));

const hexOf = (value: number) =>
  Buffer.from(new Float64Array([value]).buffer)
    .reverse()
    .toString('hex');

describe('rendezvousScore', () => {
  it('is the same to the last bit in an independent program', () => {
    expect(golden.scores.length).toBe(200);
    for (const [slotHash, h1, h2, weight, expected] of golden.scores) {
      expect(hexOf(rendezvousScore(slotHash, h1, h2, weight))).toBe(expected);
      expect(hexOf(rendezvousScore(slotHash | 0, h1 | 0, h2 | 0, weight))).toBe(expected);
    }
  });

  it('is lowest for a node as often as its weight says', () => {
    const weights = [1, 2, 0.5, 4];
    const hashes = weights.map((_, node) => nodeHashes(`node-${node}`, 0));
    const wins = weights.map(() => 0);
    const rounds = 40_000;
    for (let round = 0; round < rounds; round++) {
      const scores = hashes.map(({ h1, h2 }, node) => rendezvousScore(round, h1, h2, weights[node]!));
      wins[scores.indexOf(Math.min(...scores))]!++;
    }
    for (const [node, won] of wins.entries()) {
      const chance = weights[node]! / 7.5;
      expect(Math.abs(won - chance * rounds)).toBeLessThan(3 * Math.sqrt(rounds * chance * (1 - chance)));
    }
  });

  it('falls as the draw rises, so that equal weights can be compared by their draws', () => {
    const { h1, h2 } = nodeHashes('a', 0);
    const byDraw = Array.from({ length: 2_000 }, (_, slot) => slot).sort(
      (a, b) => (rendezvousBits(b, h1, h2) >>> 0) - (rendezvousBits(a, h1, h2) >>> 0),
    );
    const scores = byDraw.map((slot) => rendezvousScore(slot, h1, h2, 1));
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
  });
});

describe('nodeHashes', () => {
  it('are XXH32 under the seed and under another one made of it', () => {
    expect(nodeHashes('a', 0)).toEqual({ h1: xxh32('a', 0), h2: xxh32('a', 0x5bd1e995) });
    expect(nodeHashes('a', 2 ** 32 - 1)).toEqual({ h1: xxh32('a', 2 ** 32 - 1), h2: xxh32('a', 0xa42e166a) });
  });
});

describe('fmix32', () => {
  it('is the finaliser of MurmurHash3', () => {
    // From the reference implementation (smhasher, MurmurHash3.cpp, fmix32).
    expect([0, 1, 2, 0xffffffff].map((value) => fmix32(value) >>> 0)).toEqual([0, 0x514e28b7, 0x30f4c306, 0x81f16f39]);
  });
});
