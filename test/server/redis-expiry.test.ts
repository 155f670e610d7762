import { describe, expect, it } from 'vitest';
import { expiryArgument, expiryOf, valueWithExpiry } from '../../src/server/backend/commands.ts';

describe('the expiry that a server is told', () => {
  it.each([
    [1_000, 999],
    [1_000.5, 1_000],
    [2, 1],
    [1, 1],
    [0, 1],
    [-5, 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1],
    [1e300, Number.MAX_SAFE_INTEGER - 1],
  ])('is the last millisecond before the value is gone: for %d it is %d', (expiresAtMs, argument) => {
    expect(expiryArgument(expiresAtMs)).toBe(argument);
  });

  it('comes back as the time that was given', () => {
    for (const expiresAtMs of [2, 1_000, 1_700_000_000_000]) {
      expect(expiryOf(expiryArgument(expiresAtMs), 0)).toBe(expiresAtMs);
    }
    expect(expiryOf(-1, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(expiryOf(-2, 0)).toBeUndefined();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is never %d', (expiresAtMs) => {
    expect(() => expiryArgument(expiresAtMs)).toThrow(expect.objectContaining({ field: 'expiresAtMs' }));
  });
});

describe('a value read between two looks at its expiry', () => {
  const value = Buffer.from('v');
  const exact = { baseMs: 0, driftMs: 0 };

  it('has the expiry that both looks saw', () => {
    expect(valueWithExpiry(999, value, 999, exact)).toEqual({ value, expiresAtMs: 1_000 });
    expect(valueWithExpiry(-1, value, -1, exact)).toEqual({ value, expiresAtMs: undefined });
  });

  it.each([
    [999, value, 1_000],
    [-1, value, 999],
    [999, value, -1],
    [-2, value, 999],
    [-2, undefined, -1],
    [-1, undefined, -1],
    [999, value, 998],
  ])('is read again after %d, %s and %d: a write came between', (before, found, after) => {
    expect(valueWithExpiry(before, found, after, exact)).toBe('crossed');
  });

  it('is a miss where the second look found no key', () => {
    for (const before of [-2, -1, 999]) expect(valueWithExpiry(before, value, -2, exact)).toBeUndefined();
    expect(valueWithExpiry(-2, undefined, -2, exact)).toBeUndefined();
  });

  it('may have lived on between the looks if the server tells the time left, for no longer than they took', () => {
    const counting = { baseMs: 10_000, driftMs: 3 };
    expect(valueWithExpiry(500, value, 497, counting)).toEqual({ value, expiresAtMs: 10_498 });
    expect(valueWithExpiry(500, value, 496, counting)).toBe('crossed');
    expect(valueWithExpiry(500, value, 501, counting)).toBe('crossed');
    expect(valueWithExpiry(0, value, -1, counting)).toBe('crossed');
  });
});
