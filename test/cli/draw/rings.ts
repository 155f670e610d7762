/** Rings to draw, small ones and ones with ids that nobody should use. */

import fc from 'fast-check';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';

export const nastyIds = [
  '<script>alert(1)</script>',
  '"quotes" & \'apostrophes\'',
  ']]>',
  '\0',
  '\u001b[31mred',
  'line\nbreak',
  '\u202eevil',
  '\ufffe',
  '👩🏽‍🚀',
  '日本語',
  '&amp;',
  'a'.repeat(200),
  '__proto__',
];

const idArbitrary = fc.oneof(fc.constantFrom(...nastyIds), fc.string({ unit: 'binary', minLength: 1 }));

const nodeArbitrary = fc.record({
  id: idArbitrary,
  weight: fc.constantFrom(1, 0.5, 2, 10),
  zone: fc.option(idArbitrary, { nil: undefined }),
});

export const ringArbitrary = fc
  .record({
    nodes: fc.uniqueArray(nodeArbitrary, { selector: ({ id }) => id, minLength: 1, maxLength: 12 }),
    virtualNodes: fc.constantFrom(2, 16, 512),
    slots: fc.constantFrom(256, 4_096),
  })
  .map(({ nodes, virtualNodes, slots }) => HashRing.create(nodes, { virtualNodes, slots }));

/**
 * Three nodes of one point each on 256 slots. Their arcs, from `ring.slotNodes`: b has the slots [0, 133) and [245, 256),
 * a has [133, 183), c has [183, 245).
 */
export const smallRing = HashRing.create([{ id: 'a' }, { id: 'b' }, { id: 'c' }], { slots: 256, virtualNodes: 1 });
