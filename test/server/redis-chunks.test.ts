import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkMaxBytes, chunkMaxCount, chunks } from '../../src/server/sending/chunks.ts';

const sizes = fc.array(fc.integer({ min: 0, max: chunkMaxBytes + 10 }), { maxLength: 40 });

it('chunks cover every item once, in order, and none is empty', () => {
  fc.assert(
    fc.property(sizes, (each) => {
      let covered = 0;
      for (const [start, end] of chunks(each.length, (index) => each[index]!)) {
        expect(start).toBe(covered);
        expect(end).toBeGreaterThan(start);
        covered = end;
      }
      expect(covered).toBe(each.length);
    }),
  );
});

it('chunks stay within the limit of bytes, unless one item alone is beyond it', () => {
  fc.assert(
    fc.property(sizes, (each) => {
      for (const [start, end] of chunks(each.length, (index) => each[index]!)) {
        const bytes = each.slice(start, end).reduce((sum, size) => sum + size, 0);
        expect(end - start === 1 || bytes <= chunkMaxBytes).toBe(true);
      }
    }),
  );
});

it('chunks stay within the limit of items', () => {
  const ends = [...chunks(2 * chunkMaxCount + 1, () => 1)].map(([, end]) => end);
  expect(ends).toEqual([chunkMaxCount, 2 * chunkMaxCount, 2 * chunkMaxCount + 1]);
});
