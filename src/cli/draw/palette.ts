/**
 * Colours of nodes, which people who see fewer colours can distinguish too.
 *
 * Source: M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/. Their black is replaced
 * by a grey, since pictures are shown on light and on dark grounds. Beyond the eight, the same hues come again lighter
 * and darker: every eye distinguishes lightness.
 */

/** `#rrggbb`, lower case. */
export type Colour = `#${string}`;

/** Neighbours in this order differ in hue and in lightness. */
const hues = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#8c8c8c'] as const;

/** How far each further round of hues is mixed towards white (above 0) or black (below 0). */
const tints = [0, 0.55, -0.4, 0.78, -0.62];

/** Colours that all differ. Beyond them they repeat, and legends and tooltips distinguish the nodes. */
export const paletteSize = hues.length * tints.length;

/** The colour of node `index`, the same for ever. */
export function colourOf(index: number): Colour {
  const hue = hues[index % hues.length]!;
  const tint = tints[Math.floor(index / hues.length) % tints.length]!;
  const end = tint > 0 ? 255 : 0;
  const mixed = channelsOf(hue).map((channel) => Math.round(channel + (end - channel) * Math.abs(tint)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Red, green and blue, each in [0, 255]. */
export function channelsOf(colour: Colour): readonly [red: number, green: number, blue: number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
}
