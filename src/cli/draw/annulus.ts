/**
 * A ring as a grid of cells: an outer band of the ring itself and an inner band of the shares.
 *
 * Position 0 is at the top and positions grow clockwise. The grid covers the square around the unit circle, so cells may
 * have any shape: a terminal's character is twice as high as wide, half of one is about square.
 *
 *   ringBand    radii of the ring, cut into `ringSteps` equal steps: all cells of a step have the node of the slot in
 *               its middle. A step covers many arcs, and a slot that stands for them all makes spokes instead of noise
 *   shareBand   radii of the shares: each node once, as long as its share
 */

import { type RingModel, shareAt } from './ring-model.ts';

export const ringBand = [0.76, 1] as const;
export const shareBand = [0.53, 0.67] as const;
export const ringSteps = 96;

/** No node: the cell is outside both bands. */
export const blank = -1;

/** @returns Node indexes or {@link blank}, row by row from the top left. */
export function annulus(model: RingModel, columns: number, rows: number): Int32Array {
  const cells = new Int32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const { radius, turn } = polar(column, row, columns, rows);
      cells[row * columns + column] = within(radius, ringBand)
        ? model.owners[slotShownAt(turn, model.slots)]!
        : within(radius, shareBand)
          ? shareAt(model, turn)
          : blank;
    }
  }
  return cells;
}

/** The slot in the middle of the step that `turn`, in [0, 1), falls into. */
export function slotShownAt(turn: number, slots: number): number {
  return Math.floor(((Math.floor(turn * ringSteps) + 0.5) / ringSteps) * slots);
}

/** The centre of a cell: radius 1 is the circle, `turn` in [0, 1) the part of the way round from the top. */
export function polar(column: number, row: number, columns: number, rows: number): { radius: number; turn: number } {
  const right = ((column + 0.5) / columns) * 2 - 1;
  const down = ((row + 0.5) / rows) * 2 - 1;
  const turn = Math.atan2(right, -down) / (2 * Math.PI);
  // Just left of the top, 1 + turn can round to 1.
  return { radius: Math.hypot(right, down), turn: turn < 0 ? (1 + turn) % 1 : turn };
}

const within = (radius: number, [inner, outer]: readonly [number, number]) => radius >= inner && radius < outer;
