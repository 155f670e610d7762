import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entries } from '../../src/backend/entries.ts';

const value = new Uint8Array(0);

function filled(keys: string): Entries {
  const entries = new Entries(100, 100);
  for (const key of keys) entries.set(key, value, 0, 1);
  return entries;
}

describe('Entries of a memory backend', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '__proto__');
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('set' as const), key, sizeBytes: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('use' as const), key }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('peek' as const, 'delete' as const, 'clear' as const), key }),
    },
  );

  it('hold the most recently used that fit within both limits, whatever is done', () => {
    const limit = fc.constantFrom(1, 3, Number.POSITIVE_INFINITY);
    const limitBytes = fc.constantFrom(9, 20, Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), limit, limitBytes, (steps, maxEntries, maxBytes) => {
        const entries = new Entries(maxEntries, maxBytes);
        // From the least recently used on.
        let model: { key: string; sizeBytes: number }[] = [];
        const sum = () => model.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
        for (const one of steps) {
          const known = model.find((entry) => entry.key === one.key);
          const others = model.filter((entry) => entry !== known);
          if (one.do === 'set') {
            entries.set(one.key, value, 0, one.sizeBytes);
            model = [...others, { key: one.key, sizeBytes: one.sizeBytes }];
            while (model.length > maxEntries || sum() > maxBytes) model.shift();
          } else if (one.do === 'use') {
            expect(entries.use(one.key)?.key).toBe(known?.key);
            if (known !== undefined) model = [...others, known];
          } else if (one.do === 'clear') {
            entries.clear();
            model = [];
          } else {
            const found = entries.peek(one.key);
            expect(found?.sizeBytes).toBe(known?.sizeBytes);
            if (one.do === 'delete' && found !== undefined) {
              entries.delete(found);
              model = others;
            }
          }
          expect(entries.keys().sort()).toEqual(model.map((entry) => entry.key).sort());
          expect(entries.size).toBe(model.length);
        }
      }),
    );
  });

  it('are walked while they change: each that stays is met, none that has gone, and those added come last', () => {
    const entries = filled('abcd');
    const walk = entries.values();
    expect(walk.next().value?.key).toBe('a');
    entries.delete(entries.peek('a')!);
    entries.delete(entries.peek('c')!);
    entries.use('b');
    entries.set('e', value, 0, 1);
    const rest = Array.from({ length: 4 }, () => walk.next().value?.key);
    expect(rest).toEqual(['b', 'd', 'e', undefined]);
  });

  it('end a walk that was under way when all are removed', () => {
    const entries = filled('abc');
    const walk = entries.values();
    walk.next();
    entries.clear();
    expect(walk.next()).toEqual({ done: true, value: undefined });
  });
});
