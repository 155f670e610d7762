/** Preference lists read off the ring: clockwise from a position, each node once. */

import type { Zones } from '../zones.ts';
import type { VirtualNodes } from './virtual-nodes.ts';

/** Up to this many nodes are looked for in the list itself; beyond it, a table of marks is faster. */
const linearSearchLimit = 16;

/** Index of the first of ascending positions that is at least `position`; their number where there is none. */
export function lowerBound(positions: Uint32Array, position: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first point at or after `position`, wrapping to 0 after the last. Needs at least one point. */
export function pointAtOrAfter({ positions }: VirtualNodes, position: number): number {
  const index = lowerBound(positions, position);
  return index === positions.length ? 0 : index;
}

/**
 * The first `count` distinct nodes clockwise from a point (Dynamo, SOSP 2007, section 4.3, doi:10.1145/1294261.1294281).
 *
 * With zones, the first node met in each zone comes before every second node of a zone; both parts are in the order met.
 * Adding a node can then only push others back, never reorder them, so that one change moves one node in and one out.
 *
 * @param zones  Undefined where zones change nothing.
 * @param count  At most the number of nodes on the ring. Growing it only appends.
 * @param out    Receives node indexes at [offset, offset + count).
 */
export function walk(
  points: VirtualNodes,
  start: number,
  zones: Zones | undefined,
  count: number,
  out: Uint16Array,
  offset: number,
): void {
  if (zones === undefined) {
    walkDistinct(points, start, count, out, offset);
    return;
  }
  const zonesWanted = Math.min(zones.count, count);
  const firsts = walkZones(points, start, zones.zoneOf, zonesWanted);
  for (const [index, node] of firsts.entries()) out[offset + index] = node;
  if (count === zonesWanted) return;

  // At most `zonesWanted` of the first `count` distinct nodes are already taken, so the rest always suffices.
  const inOrder = new Uint16Array(count);
  walkDistinct(points, start, count, inOrder, 0);
  let filled = zonesWanted;
  for (const node of inOrder) {
    if (filled === count) break;
    if (!firsts.includes(node)) out[offset + filled++] = node;
  }
}

function walkDistinct({ owners }: VirtualNodes, start: number, count: number, out: Uint16Array, offset: number): void {
  const marks = count > linearSearchLimit ? new Set<number>() : undefined;
  let found = 0;
  let index = start;
  // Ends within V steps: every node owns at least one point, and each step sees a new one.
  while (found < count) {
    const owner = owners[index]!;
    if (!(marks === undefined ? includes(out, offset, found, owner) : marks.has(owner))) {
      out[offset + found++] = owner;
      marks?.add(owner);
    }
    index = index + 1 < owners.length ? index + 1 : 0;
  }
}

function includes(list: Uint16Array, offset: number, length: number, node: number): boolean {
  for (let index = offset; index < offset + length; index++) if (list[index] === node) return true;
  return false;
}

/** The first node met of each of the first `zonesWanted` zones met. */
function walkZones({ owners }: VirtualNodes, start: number, zoneOf: Uint16Array, zonesWanted: number): number[] {
  const nodes: number[] = [];
  const zones = new Set<number>();
  let index = start;
  while (nodes.length < zonesWanted) {
    const owner = owners[index]!;
    const zone = zoneOf[owner]!;
    if (!zones.has(zone)) {
      zones.add(zone);
      nodes.push(owner);
    }
    index = index + 1 < owners.length ? index + 1 : 0;
  }
  return nodes;
}
