/**
 * Colour and weight of text in a terminal, as a function of the colour depth.
 *
 * `util.styleText` has no colours beyond the sixteen named ones, and from Node 22 on it reads the environment by itself,
 * so that the same call gives different text; what is drawn here depends on its arguments alone.
 */

import { type Colour, channelsOf } from './palette.ts';

/** Bits per colour that the terminal understands; 0 is plain text. */
export type ColourDepth = 0 | 8 | 24;

export interface Painter {
  readonly depth: ColourDepth;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Text in a colour, on a ground of another where one is given. */
  readonly colour: (text: string, front: Colour, ground?: Colour) => string;
}

const introducer = '\u001b[';
const unchanged = (text: string) => text;

export function painterFor(depth: ColourDepth): Painter {
  if (depth === 0) return { depth, bold: unchanged, dim: unchanged, colour: unchanged };
  const wrap = (codes: string) => (text: string) => `${introducer}${codes}m${text}${introducer}0m`;
  const code = depth === 24 ? trueColour : cubeColour;
  return {
    depth,
    bold: wrap('1'),
    dim: wrap('2'),
    colour: (text, front, ground) =>
      wrap(`38;${code(front)}${ground === undefined ? '' : `;48;${code(ground)}`}`)(text),
  };
}

const trueColour = (colour: Colour) => `2;${channelsOf(colour).join(';')}`;

/** The nearest of the 6 x 6 x 6 colours that terminals of 256 colours have at 16 to 231. */
function cubeColour(colour: Colour): string {
  const levels = [0, 95, 135, 175, 215, 255];
  const [red, green, blue] = channelsOf(colour).map((channel) => {
    const distances = levels.map((level) => Math.abs(level - channel));
    return distances.indexOf(Math.min(...distances));
  }) as [number, number, number];
  return `5;${16 + 36 * red + 6 * green + blue}`;
}
