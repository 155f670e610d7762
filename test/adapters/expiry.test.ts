import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expiryOf } from '../../src/adapters/expiry.ts';

describe('expiryOf', () => {
  it.each([undefined, null, 0, -0, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER * 2])(
    'takes %s for ever',
    (ttlMs) => {
      expect(expiryOf('ttl', ttlMs)).toBe('never');
    },
  );

  it('treats a time below 0 as past', () => {
    for (const ttlMs of [-1, -0.001, Number.NEGATIVE_INFINITY]) expect(expiryOf('ttl', ttlMs)).toBe('past');
  });

  it('gives whole milliseconds that Redis takes, and never fewer than asked for', () => {
    const positive = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_SAFE_INTEGER, noNaN: true });
    fc.assert(
      fc.property(positive, (ttlMs) => {
        const expiry = expiryOf('ttl', ttlMs) as number;
        expect(`${expiry}`).toMatch(/^[1-9]\d*$/);
        expect(expiry - ttlMs).toBeGreaterThanOrEqual(0);
        expect(expiry - 1).toBeLessThanOrEqual(ttlMs);
      }),
    );
  });

  it.each([Number.NaN, '5', {}, true])('refuses %s, and names where it stood', (ttlMs) => {
    expect(() => expiryOf('options.ttl', ttlMs)).toThrow(expect.objectContaining({ field: 'options.ttl' }));
  });
});
