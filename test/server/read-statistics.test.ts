import { expect, it } from 'vitest';
import { expectedReplyMaxBytes, ReadStatistics } from '../../src/server/sending/read-statistics.ts';
import { batchMaxKeys } from '../../src/server/sending/send-plan.ts';

function noted(...values: readonly (readonly [times: number, value: unknown])[]): ReadStatistics {
  const statistics = new ReadStatistics();
  for (const [times, value] of values) for (let time = 0; time < times; time++) statistics.note(value);
  return statistics;
}

const small = Buffer.alloc(100);

it('the first MGET is small, since nothing is known of the values', () => {
  expect(noted().maxKeys).toBe(64);
});

it('small values are asked for by 512 at a time', () => {
  expect(noted([2_000, small]).maxKeys).toBe(batchMaxKeys);
});

it.each([10_000, 100_000, 400_000])('values of %i bytes are asked for about 1 MB at a time', (bytes) => {
  const { maxKeys } = noted([2_000, Buffer.alloc(bytes)]);
  expect(maxKeys * bytes).toBeGreaterThan(expectedReplyMaxBytes / 2);
  expect(maxKeys * bytes).toBeLessThan(expectedReplyMaxBytes * 1.01);
});

it('values of more than 1 MB are asked for one by one', () => {
  expect(noted([2_000, Buffer.alloc(1_100_000)]).maxKeys).toBe(1);
});

it('no MGETs are sent while more than one read in eight misses, and again when fewer do', () => {
  const seldom = Array.from({ length: 3_000 }, (_, index) => [1, index % 10 === 0 ? null : small] as const);
  expect(noted(...seldom).maxKeys).toBeGreaterThan(1);
  const often = Array.from({ length: 3_000 }, (_, index) => [1, index % 6 === 0 ? null : small] as const);
  expect(noted(...often).maxKeys).toBe(1);
  expect(noted(...often, [500, small]).maxKeys).toBeGreaterThan(1);
});
