import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelayMs, sharedClientOptions } from '../../src/server/link/own-client.ts';

const least = () => 0;
const most = () => 1 - Number.EPSILON;

describe('the options of a client that we open', () => {
  it('have none of the time limits of ioredis, whatever the application says', () => {
    const given = { commandTimeout: 100, socketTimeout: 100, blockingTimeout: 100 };
    const { commandTimeout, socketTimeout, blockingTimeout } = sharedClientOptions(given, undefined);
    expect([commandTimeout, socketTimeout, blockingTimeout]).toEqual([undefined, undefined, undefined]);
  });
});

describe('the pause before the next attempt to connect', () => {
  it('doubles up to a second, and is at least half as long', () => {
    const attempts = [1, 2, 3, 4, 5, 6, 7, 1_000];
    expect(attempts.map((attempt) => retryDelayMs(attempt, most))).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
    expect(attempts.map((attempt) => retryDelayMs(attempt, least))).toEqual([25, 50, 100, 200, 400, 500, 500, 500]);
  });

  it('is a whole number between the two, whatever chance says', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), chance, (attempt, drawn) => {
        const delayMs = retryDelayMs(attempt, () => drawn);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(retryDelayMs(attempt, least));
        expect(delayMs).toBeLessThanOrEqual(retryDelayMs(attempt, most));
      }),
    );
  });

  it('differs between clients that have tried as often, so that they do not come back in step', () => {
    const { retryStrategy } = sharedClientOptions({}, undefined);
    expect(new Set(Array.from({ length: 100 }, () => retryStrategy!(10))).size).toBeGreaterThan(1);
  });
});
