import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, count, counted, percent, signedPercent } from '../../../src/cli/draw/numbers.ts';
import { painterFor } from '../../../src/cli/draw/paint.ts';
import { colourOf, paletteSize } from '../../../src/cli/draw/palette.ts';
import { tableLines } from '../../../src/cli/draw/table.ts';
import { displayWidth, fit, visible } from '../../../src/cli/draw/visible-text.ts';

describe('text from outside', () => {
  it.each([
    ['plain', 'plain', 5],
    ['\u001b[31m', '\\u{1b}[31m', 10],
    ['\0', '\\u{0}', 5],
    ['\u202eabc', '\\u{202e}abc', 11],
    ['\ud800', '\\u{d800}', 8],
    ['a\u200db', 'a\\u{200d}b', 10],
    ['日本', '日本', 4],
    ['e\u0301', 'e\u0301', 1],
    ['👩🏽‍🚀', '👩🏽‍🚀', 2],
  ])('%j is shown as %j in %i cells', (text, shown, width) => {
    expect(visible(text)).toBe(shown);
    expect(displayWidth(shown)).toBe(width);
  });

  it('is cut to its room and never beyond it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, room) => {
        const cut = fit(visible(text), room);
        expect(displayWidth(cut)).toBeLessThanOrEqual(room);
        if (displayWidth(visible(text)) <= room) expect(cut).toBe(visible(text));
      }),
    );
  });
});

describe('a table', () => {
  it('puts numbers right and names left, with no blanks at the end of a line', () => {
    const columns = [
      { title: 'name', align: 'left' },
      { title: 'n', align: 'right' },
      { title: 'note', align: 'left' },
    ] as const;
    expect(
      tableLines(columns, [
        ['日本', '1,000', ''],
        ['a', '7', 'x'],
      ]),
    ).toEqual(['name      n  note', '日本  1,000', 'a         7  x']);
  });
});

describe('a number', () => {
  it('is grouped, and its noun agrees with it', () => {
    expect([count(0), count(999), count(1_000), count(4_294_967_296)]).toEqual(['0', '999', '1,000', '4,294,967,296']);
    expect([counted(1, 'node'), counted(2, 'node')]).toEqual(['1 node', '2 nodes']);
  });

  it('has two decimals if it is a share, and a sign if it is a change', () => {
    expect([
      percent(0.25073),
      signedPercent(0.1),
      signedPercent(-0.1),
      signedPercent(-1e-9),
      signedPercent(1e-9),
    ]).toEqual(['25.07 %', '+10.00 %', '-10.00 %', '0.00 %', '0.00 %']);
  });

  it('has a readable unit if it counts bytes', () => {
    expect([0, 999, 1_000, 999_999, 1.5e6, 2e18].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.00 MB',
      '1.50 MB',
      '2000.00 PB',
    ]);
  });
});

describe('colours', () => {
  it('all differ, are the same for ever and begin with those of Okabe and Ito', () => {
    const colours = Array.from({ length: paletteSize }, (_, index) => colourOf(index));
    expect(new Set(colours).size).toBe(paletteSize);
    expect(colours.slice(0, 3)).toEqual(['#0072b2', '#e69f00', '#009e73']);
    expect(colourOf(paletteSize)).toBe(colours[0]);
  });

  it('are 24 bits, the nearest of 256, or nothing', () => {
    const painted = ([24, 8, 0] as const).map((depth) => painterFor(depth).colour('x', '#0072b2', '#ffffff'));
    expect(painted).toEqual([
      '\u001b[38;2;0;114;178;48;2;255;255;255mx\u001b[0m',
      '\u001b[38;5;25;48;5;231mx\u001b[0m',
      'x',
    ]);
  });
});
