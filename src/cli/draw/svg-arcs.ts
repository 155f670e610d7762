/**
 * Bands of arcs in an SVG. The arcs of a node are one group, which holds their colour. Angles are turns: parts in [0, 1]
 * of the way round from the top, clockwise.
 */

import { count, percent } from './numbers.ts';
import { colourOf } from './palette.ts';
import type { ModelArc, RingModel } from './ring-model.ts';

/** Lengths in units of the view box. */
export interface Band {
  readonly centre: number;
  readonly inner: number;
  readonly outer: number;
}

type Escape = (text: string) => string;

/** More arcs than this are thinner than a hair, and the file would grow without showing more. */
export const maxArcs = 4096;

/** The arcs to draw: all of them, or where they are too many the node at the start of each of {@link maxArcs} steps. */
export function shownArcs({ arcs, owners, slots }: RingModel): { arcs: readonly ModelArc[]; note: string } {
  if (arcs.length <= maxArcs) return { arcs, note: `All ${count(arcs.length)} arcs are drawn.` };
  const slotsPerStep = slots / maxArcs;
  const sampled: ModelArc[] = [];
  for (let firstSlot = 0; firstSlot < slots; firstSlot += slotsPerStep) {
    const node = owners[firstSlot]!;
    const previous = sampled.at(-1);
    if (previous?.node === node) sampled[sampled.length - 1] = { ...previous, endSlot: firstSlot + slotsPerStep };
    else sampled.push({ node, firstSlot, endSlot: firstSlot + slotsPerStep });
  }
  const note =
    `The ring has ${count(arcs.length)} arcs; it is drawn in ${count(maxArcs)} steps, ` +
    'each in the colour of the node at its first slot.';
  return { arcs: sampled, note };
}

export function ringArcs(model: RingModel, arcs: readonly ModelArc[], band: Band, toXml: Escape): string[] {
  return groups(model, arcs, band, ({ node, firstSlot, endSlot }) => {
    const positionsPerSlot = 2 ** 32 / model.slots;
    const [first, last] = [firstSlot * positionsPerSlot, endSlot * positionsPerSlot - 1];
    return toXml(`${model.nodes[node]!.id}: positions ${count(first)} to ${count(last)}`);
  });
}

/** Slots that move, in the colour of the node they move to, on a track that shows where none do. */
export function movedArcs(model: RingModel, moved: readonly ModelArc[], band: Band, toXml: Escape): string[] {
  const { centre, inner, outer } = band;
  const track = `<circle class="track" cx="${centre}" cy="${centre}" r="${(inner + outer) / 2}" fill="none" stroke-width="${outer - inner}"/>`;
  const title = ({ node, firstSlot, endSlot }: ModelArc) =>
    toXml(`slots ${count(firstSlot)} to ${count(endSlot - 1)} move to ${model.nodes[node]!.id}`);
  return [track, ...groups(model, moved, band, title)];
}

export function shareArcs({ nodes }: RingModel, band: Band, toXml: Escape): string[] {
  let end = 0;
  return nodes.map(({ id, share }, index) => {
    const start = end;
    end += share;
    return `<g fill="${colourOf(index)}">${arc(start, end, band, toXml(`${id}: ${percent(share)}`))}</g>`;
  });
}

function groups(
  { nodes, slots }: RingModel,
  arcs: readonly ModelArc[],
  band: Band,
  titleOf: (arc: ModelArc) => string,
): string[] {
  const byNode = nodes.map((): string[] => []);
  for (const item of arcs) {
    byNode[item.node]!.push(arc(item.firstSlot / slots, item.endSlot / slots, band, titleOf(item)));
  }
  return byNode.flatMap((paths, index) =>
    paths.length === 0 ? [] : [`<g fill="${colourOf(index)}">`, ...paths, '</g>'],
  );
}

/** One arc with its tooltip, as the outline of its part of the band. */
function arc(start: number, end: number, { centre, inner, outer }: Band, title: string): string {
  const point = (turn: number, radius: number) => {
    const angle = turn * 2 * Math.PI;
    return `${decimal(centre + radius * Math.sin(angle))} ${decimal(centre - radius * Math.cos(angle))}`;
  };
  // An arc of half a turn or more would be ambiguous, and the whole circle has no two ends; thirds never are.
  const turns = end - start < 0.5 ? [start, end] : [0, 1, 2, 3].map((third) => start + ((end - start) * third) / 3);
  const along = (radius: number, clockwise: 0 | 1) => (turn: number) =>
    end - start < straightBelow
      ? `L${point(turn, radius)}`
      : `A${radius} ${radius} 0 0 ${clockwise} ${point(turn, radius)}`;
  const there = turns.slice(1).map(along(outer, 1));
  const back = turns.slice(0, -1).reverse().map(along(inner, 0));
  const path = `M${point(start, outer)}${there.join('')}L${point(end, inner)}${back.join('')}Z`;
  return `<path d="${path}"><title>${title}</title></path>`;
}

/** Turns below which an arc and its chord are the same to the eye: they differ by 0.02 units at a radius of 250. */
const straightBelow = 1 / 256;

/** Two decimals, without those that say nothing. */
const decimal = (value: number) => String(Math.round(value * 100) / 100);
