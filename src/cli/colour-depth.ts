/**
 * Whether to draw in colour, by the conventions that terminals' users know:
 * https://no-color.org, https://force-color.org and `COLORTERM` of termstandard/colors.
 */

import type { ColourDepth } from './draw/paint.ts';
import type { Host } from './host.ts';

/** An explicit `--no-color` comes before FORCE_COLOR, that before NO_COLOR (as in Node itself), then the terminal. */
export function colourDepthOf({ env, isTerminal }: Pick<Host, 'env' | 'isTerminal'>, noColour: boolean): ColourDepth {
  if (noColour) return 0;
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term, COLORTERM: colorTerm } = env;
  const deepest = colorTerm === 'truecolor' || colorTerm === '24bit' ? 24 : 8;
  if (force !== undefined) return force === '0' || force === 'false' ? 0 : force === '3' ? 24 : deepest;
  if (no !== undefined && no !== '') return 0;
  return isTerminal && term !== 'dumb' ? deepest : 0;
}
