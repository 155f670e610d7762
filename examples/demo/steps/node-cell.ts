/** A node's name in the colour that it has in the picture of the ring. */

import { colourOf } from '../../../src/cli/draw/palette.ts';
import type { Cell } from '../../../src/cli/draw/table.ts';
import type { Report } from '../output/report.ts';

/** @param index  The node's place in `ring.nodes`. */
export function nodeCell({ painter }: Report, id: string, index: number): Cell {
  return { text: id, paint: (text) => painter.colour(text, colourOf(index)) };
}
