import { expect, it } from 'vitest';
import { colourDepthOf } from '../../src/cli/colour-depth.ts';

const depth = (env: Record<string, string>, isTerminal = true, noColour = false) =>
  colourDepthOf({ env, isTerminal }, noColour);

it('colours are for terminals', () => {
  expect(depth({})).toBe(8);
  expect(depth({}, false)).toBe(0);
  expect(depth({ TERM: 'dumb' })).toBe(0);
});

it('a terminal that says so gets 24 bits', () => {
  expect(depth({ COLORTERM: 'truecolor' })).toBe(24);
  expect(depth({ COLORTERM: '24bit' })).toBe(24);
});

it('NO_COLOR turns colours off unless it is empty', () => {
  expect(depth({ NO_COLOR: '1' })).toBe(0);
  expect(depth({ NO_COLOR: '' })).toBe(8);
});

it('FORCE_COLOR decides before NO_COLOR, and without a terminal', () => {
  expect(depth({ FORCE_COLOR: '', NO_COLOR: '1' }, false)).toBe(8);
  expect(depth({ FORCE_COLOR: '3' }, false)).toBe(24);
  expect(depth({ FORCE_COLOR: '0' })).toBe(0);
});

it('--no-color decides before everything', () => {
  expect(depth({ FORCE_COLOR: '3' }, true, true)).toBe(0);
});
