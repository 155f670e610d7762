/** What tests of many files draw from. */

import fc from 'fast-check';
import type { NodeInput } from '../../src/placement/node.ts';

/** Any string: ASCII, two-byte, astral, lone surrogates, hash tags, names of object properties. */
export const anyKey: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', '\0', '__proto__', 'constructor', '{a}b', '{}', '\ud800', '\udc00', '\ufffd', '😀'),
);

/** Nodes with different ids, some weighted, some zoned. */
export function anyNodes(options: { min: number; max: number; zoned?: boolean }): fc.Arbitrary<NodeInput[]> {
  const id = fc
    .oneof(fc.string({ minLength: 1 }), fc.constantFrom('1', '12', '2x', 'x', '__proto__'))
    .filter((name) => name.isWellFormed());
  const zone = fc.constantFrom(undefined, 'eu', 'us', 'ap');
  const node = fc.record({
    id,
    weight: fc.double({ min: 0.1, max: 5, noNaN: true }),
    zone: options.zoned ? zone : fc.constantFrom(undefined, undefined, 'eu', 'us'),
  });
  return fc.uniqueArray(node, { minLength: options.min, maxLength: options.max, selector: ({ id }) => id });
}
