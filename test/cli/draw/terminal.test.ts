import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ringModel } from '../../../src/cli/draw/ring-model.ts';
import { drawRing, marksOf } from '../../../src/cli/draw/terminal.ts';
import { displayWidth } from '../../../src/cli/draw/visible-text.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { ringArbitrary, smallRing } from './rings.ts';

const codes = /\u001b\[[\d;]*m/g;
const marksFor = (...ids: string[]) => marksOf(ringModel(HashRing.create(ids.map((id) => ({ id })))));

describe('the picture', () => {
  // Outside, clockwise in degrees from the top: b to 187, which is just past the bottom, a to 257, which is just below the
  // left, c to 345, b again to the top. Inside: a for the first 70 degrees, b to 273, c for the rest.
  it('shows a ring that is small enough to check by hand', () => {
    expect(drawRing(ringModel(smallRing), { colourDepth: 0, width: 32 })).toBe(
      `\
          ccbbbbbbbbbb
       ccccccbbbbbbbbbbbb
    ccccccc          bbbbbbb
   ccccc  ccccccaaaaaa  bbbbb
  cccc  ccc          aaa  bbbb
 cccc  cc              aa  bbbb
cccc  cc                bb  bbbb
cccc ccc                bbb bbbb
cccc bbb                bbb bbbb
caaa  bb                bb  bbbb
 aaaa  bb              bb  bbbb
  aaaa  bbb          bbb  bbbb
   aaaaa  bbbbbbbbbbbb  bbbbb
    aaaaaaa          bbbbbbb
       aaaaaaabbbbbbbbbbb
          aaaabbbbbbbb

   node  weight    share    ideal
a  a          1  19.53 %  33.33 %  ████▏  ╎
b  b          1  56.25 %  33.33 %  ████████████
c  c          1  24.22 %  33.33 %  █████▏ ╎

Fullest node 1.688 times its ideal share, emptiest 0.586 times; coefficient of variation 48.95 %.
`,
    );
  });

  it('is the same for the same arguments', () => {
    const draw = () =>
      drawRing(ringModel(HashRing.create([{ id: 'a' }, { id: 'b' }])), { colourDepth: 24, width: 110 });
    expect(draw()).toBe(draw());
  });

  it('has the same nodes in the legend, coloured or plain', () => {
    const model = ringModel(HashRing.create([{ id: 'left' }, { id: 'right', weight: 3, zone: 'eu' }]));
    const [plain, coloured] = ([0, 8] as const).map((colourDepth) => drawRing(model, { colourDepth, width: 110 }));
    for (const text of [plain!, coloured!.replaceAll(codes, '')]) {
      expect(text).toMatch(/left +1 +- +\d+\.\d\d % +25\.00 %/);
      expect(text).toMatch(/right +3 +eu +\d+\.\d\d % +75\.00 %/);
    }
  });

  it('sends only the visible characters of an id to the terminal', () => {
    fc.assert(
      fc.property(ringArbitrary, (ring) => {
        const text = drawRing(ringModel(ring), { colourDepth: 24, width: 110 }).replaceAll(codes, '');
        expect(text).not.toMatch(/[\0-\t\v-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps to its width while that is at least that of the legend, and puts the legend below when it is narrow', () => {
    const model = ringModel(HashRing.create([{ id: 'a' }, { id: 'b' }]));
    for (const width of [60, 80, 91, 100, 200]) {
      const lines = drawRing(model, { colourDepth: 0, width }).split('\n').slice(0, -3);
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width);
    }
    expect(drawRing(model, { colourDepth: 0, width: 60 }).split('\n')[23]).toMatch(/^ +node/);
  });
});

describe('the letter of a node', () => {
  it('is the first letter of its id where those differ for all nodes', () => {
    expect(marksFor('red', 'green', 'blue')).toEqual(['b', 'g', 'r']);
  });

  it('is A, B, C elsewhere', () => {
    expect(marksFor('cache-1', 'cache-2')).toEqual(['A', 'B']);
    expect(marksFor('a', '<')).toEqual(['A', 'B']);
  });
});
