/**
 * From the points of a ring to the rows of its table. A slot's nodes are those the ring gives at the slot's first
 * position, so the slots that point `i` serves are those whose first position lies in (position of point i - 1, its own].
 */

import { slotShift } from '../table/slot-table.ts';
import type { Zones } from '../zones.ts';
import type { VirtualNodes } from './virtual-nodes.ts';
import { walk } from './walk.ts';

export interface RowSource {
  readonly points: VirtualNodes;
  readonly zones: Zones | undefined;
  readonly slots: number;
}

/** A table of `width` nodes a row, for all slots. */
export function fillTable(source: RowSource, width: number): Uint16Array {
  const { points, zones, slots } = source;
  const { positions } = points;
  if (width === 0) return new Uint16Array(0);
  if (width === 1) return fillOwners(source);
  if (zones !== undefined || isUneven(points)) return sweepRows(source, width);
  const table = new Uint16Array(slots * width);
  const shift = slotShift(slots);
  let slot = 0;
  for (let point = 0; point <= positions.length; point++) {
    // Beyond the last point the circle begins again.
    const first = point === positions.length ? 0 : point;
    const end = point === positions.length ? slots : (positions[point]! >>> shift) + 1;
    if (slot >= end) continue;
    walk(points, first, zones, width, table, slot * width);
    repeatRow(table, width, slot, end);
    slot = end;
  }
  return table;
}

/** Whether some node has so few points that walks which look for it go far: less than an eighth of the mean. */
function isUneven({ positions, owners }: VirtualNodes): boolean {
  const counts = new Map<number, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return Math.min(...counts.values()) < positions.length / counts.size / 8;
}

/**
 * The same by one pass from the last point to the first: the nodes met from a point on are its owner, and then those met
 * from the next point on without it. So the cost does not grow with how far apart the points of the rarest node are; for
 * even nodes without zones, walking is faster.
 */
function sweepRows({ points, zones, slots }: RowSource, width: number): Uint16Array {
  const { positions, owners } = points;
  const table = new Uint16Array(slots * width);
  const shift = slotShift(slots);
  // From the first point on, which is also what follows the last one: nodes in the order met, and the first of each zone.
  const order = new Uint16Array(width);
  walk(points, 0, undefined, width, order, 0);
  const firsts = new Uint16Array(zones === undefined ? 0 : Math.min(zones.count, width));
  if (zones !== undefined) walk(points, 0, zones, firsts.length, firsts, 0);
  const zoneOf = (node: number) => zones!.zoneOf[node]!;
  const write = (first: number, end: number) => {
    if (first >= end) return;
    const row = [...firsts, ...order.filter((node) => !firsts.includes(node))].slice(0, width);
    table.set(row, first * width);
    repeatRow(table, width, first, end);
  };
  write((positions[positions.length - 1]! >>> shift) + 1, slots);
  for (let point = positions.length - 1; point >= 0; point--) {
    const owner = owners[point]!;
    moveToFront(order, owner, (node) => node === owner);
    if (zones !== undefined) moveToFront(firsts, owner, (node) => zoneOf(node) === zoneOf(owner));
    write(point === 0 ? 0 : (positions[point - 1]! >>> shift) + 1, (positions[point]! >>> shift) + 1);
  }
  return table;
}

/** Puts a node first, in the place of the one that it replaces, or else of the last. */
function moveToFront(list: Uint16Array, node: number, isReplaced: (other: number) => boolean): void {
  const found = list.findIndex(isReplaced);
  list.copyWithin(1, 0, found === -1 ? list.length - 1 : found);
  list[0] = node;
}

/**
 * The same for one node a row. First the owner of each slot's first point, plus one, goes to that slot; then, from the
 * last slot down, each slot in which no point lies takes the owner of the slot after it. On large rings it is a toss-up
 * whether one does, so this is done by masks and not by a branch that the processor would guess wrong.
 */
function fillOwners({ points: { positions, owners }, slots }: RowSource): Uint16Array {
  const table = new Uint16Array(slots);
  const shift = slotShift(slots);
  for (let point = positions.length - 1; point >= 0; point--) table[positions[point]! >>> shift] = owners[point]! + 1;
  // Beyond the last point the circle begins again.
  let owner = owners[0]!;
  for (let slot = slots - 1; slot >= 0; slot--) {
    const found = table[slot]! - 1;
    const isEmpty = found >> 31;
    owner = (owner & isEmpty) | (found & ~isEmpty);
    table[slot] = owner;
  }
  return table;
}

/** Copies the row of slot `first` to the slots after it, up to `end`. */
function repeatRow(table: Uint16Array, width: number, first: number, end: number): void {
  const endIndex = end * width;
  for (let index = (first + 1) * width; index < endIndex; index++) table[index] = table[index - width]!;
}

/** Writes a row to the slots [first, end). */
export function writeRow(table: Uint16Array, row: Uint16Array, first: number, end: number): void {
  const width = row.length;
  for (let slot = first; slot < end; slot++) {
    for (let index = 0; index < width; index++) table[slot * width + index] = row[index]!;
  }
}

/** An arc of slots that one point serves, with how far it has come in the list of given points. */
export interface TouchedArc {
  readonly point: number;
  readonly firstSlot: number;
  readonly endSlot: number;
  /** How many of the given points lie before `point`. */
  readonly givenBefore: number;
}

/**
 * The arcs in whose rows a node stands because of some of its points: those that, walking back from each of the points,
 * still have the node in their row. Walking further back only brings more nodes in between, so the first row without the
 * node ends the search; so does another point of the node, since from there on it is that point's doing.
 *
 * @param owner  The node.
 * @param given  Indexes of some of its points, ascending.
 */
export function touchedArcs(source: RowSource, owner: number, given: Uint32Array, width: number): TouchedArc[] {
  const { points, zones, slots } = source;
  const { positions, owners } = points;
  const shift = slotShift(slots);
  const row = new Uint16Array(width);
  const arcs: TouchedArc[] = [];
  const total = positions.length;
  for (let index = 0; index < given.length; index++) {
    for (let steps = 0; steps < total; steps++) {
      const isWrapped = given[index]! < steps;
      const point = given[index]! - steps + (isWrapped ? total : 0);
      if (steps > 0 && owners[point] === owner) break;
      const firstSlot = point === 0 ? 0 : (positions[point - 1]! >>> shift) + 1;
      const endSlot = (positions[point]! >>> shift) + 1;
      const afterLast = point === 0 ? (positions[total - 1]! >>> shift) + 1 : slots;
      if (firstSlot >= endSlot && afterLast >= slots) continue;
      walk(points, point, zones, width, row, 0);
      if (!row.includes(owner)) break;
      const givenBefore = isWrapped ? given.length : index;
      if (firstSlot < endSlot) arcs.push({ point, firstSlot, endSlot, givenBefore });
      if (afterLast < slots) arcs.push({ point, firstSlot: afterLast, endSlot: slots, givenBefore });
    }
  }
  return arcs;
}
