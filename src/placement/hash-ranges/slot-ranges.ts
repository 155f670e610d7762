/**
 * Lists of slot ranges: which node owns which slots.
 *
 * A list is ascending, covers the slots [0, S) without gap or overlap, and no two neighbours have one node: there is one
 * list for each mapping of slots to nodes. It is empty where there is no node. Lists are never changed; each function
 * here returns a new one.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectInteger, expectIterable, expectOptions } from '../../runtime/validate.ts';
import type { NodeId, PlacementNode } from '../node.ts';

/** The slots [firstSlot, endSlot), all owned by one node. */
export interface SlotRange {
  readonly node: NodeId;
  readonly firstSlot: number;
  /** The slot after the last. */
  readonly endSlot: number;
}

/** One range for each node, in the order given. @param counts  Slots of each node; a node of none has no range. */
export function rangesInOrder(ids: readonly NodeId[], counts: readonly number[]): SlotRange[] {
  const ranges: SlotRange[] = [];
  let firstSlot = 0;
  for (const [index, node] of ids.entries()) {
    const endSlot = firstSlot + counts[index]!;
    if (endSlot > firstSlot) ranges.push({ node, firstSlot, endSlot });
    firstSlot = endSlot;
  }
  return ranges;
}

/**
 * A list from ranges in any order.
 * @throws {InvalidArgumentError} A range is wrong or of no known node, two overlap, or a slot is in none.
 */
export function parseRanges(
  ranges: Iterable<SlotRange>,
  nodes: readonly PlacementNode[],
  slots: number,
): readonly SlotRange[] {
  const ids = new Set(nodes.map(({ id }) => id));
  const parsed = [...expectIterable('ranges', ranges)].map((input, index) => {
    const field = `ranges[${index}]`;
    const { node, firstSlot, endSlot } = expectOptions(field, input, ['node', 'firstSlot', 'endSlot']);
    if (typeof node !== 'string' || !ids.has(node)) {
      throw new InvalidArgumentError(`${field}.node`, 'the id of one of the nodes', node, true);
    }
    const first = expectInteger(`${field}.firstSlot`, firstSlot, 0, slots - 1);
    return { node, firstSlot: first, endSlot: expectInteger(`${field}.endSlot`, endSlot, first + 1, slots) };
  });
  parsed.sort((a, b) => a.firstSlot - b.firstSlot);
  let covered = 0;
  for (const { firstSlot, endSlot } of parsed) {
    if (firstSlot !== covered) throw coverError(slots, Math.min(firstSlot, covered), firstSlot > covered);
    covered = endSlot;
  }
  if (covered < slots && nodes.length > 0) throw coverError(slots, covered, true);
  const joined: SlotRange[] = [];
  for (const range of parsed) append(joined, range);
  return joined;
}

function coverError(slots: number, slot: number, isMissing: boolean): InvalidArgumentError {
  const fault = isMissing ? 'in no range' : 'in two';
  return new InvalidArgumentError('ranges', `each of ${slots} slots in exactly one range; a slot is ${fault}`, slot);
}

/** Slots of each node. */
export function slotCounts(ranges: readonly SlotRange[], ids: readonly NodeId[]): number[] {
  const counts = new Map<NodeId, number>();
  for (const { node, firstSlot, endSlot } of ranges) {
    counts.set(node, (counts.get(node) ?? 0) + endSlot - firstSlot);
  }
  return ids.map((id) => counts.get(id) ?? 0);
}

/**
 * Gives `count` slots of the node `from` to the node `to`, in as few ranges as possible and with one cut at most.
 * @param count  Integer in [0, slots of `from`].
 */
export function giveSlots(ranges: readonly SlotRange[], from: NodeId, to: NodeId, count: number): readonly SlotRange[] {
  if (count === 0) return ranges;
  const cuts = chooseCuts(ranges, from, to, count);
  const given: SlotRange[] = [];
  for (const [index, range] of ranges.entries()) {
    const cut = range.endSlot - (cuts.get(index) ?? 0);
    if (cut === range.endSlot) append(given, range);
    else {
      if (cut > range.firstSlot) append(given, { node: from, firstSlot: range.firstSlot, endSlot: cut });
      append(given, { node: to, firstSlot: cut, endSlot: range.endSlot });
    }
  }
  return given;
}

/**
 * How many slots are taken from the end of which ranges of `from`, by index. The longest are taken whole while more is
 * wanted than they have. Then one of just the right length is, or else the end of a longer one. Where there is a choice it
 * falls on a range that lies behind or before one of `to`, so that a node which leaves gives back what it got.
 */
function chooseCuts(ranges: readonly SlotRange[], from: NodeId, to: NodeId, count: number): Map<number, number> {
  const length = (index: number) => ranges[index]!.endSlot - ranges[index]!.firstSlot;
  const isBehind = (index: number) => Number(ranges[index - 1]?.node === to);
  const isBefore = (index: number) => Number(ranges[index + 1]?.node === to);
  const owned: number[] = [];
  for (let index = 0; index < ranges.length; index++) if (ranges[index]!.node === from) owned.push(index);
  owned.sort((a, b) => length(b) - length(a) || isBehind(b) - isBehind(a) || isBefore(b) - isBefore(a) || b - a);

  const cuts = new Map<number, number>();
  let left = count;
  let next = 0;
  for (; left > 0 && length(owned[next]!) <= left; next++) {
    cuts.set(owned[next]!, length(owned[next]!));
    left -= length(owned[next]!);
  }
  if (left > 0) {
    const rest = owned.slice(next);
    const exact = rest.find((index) => length(index) === left);
    const joining = rest.find((index) => length(index) > left && isBefore(index));
    cuts.set(exact ?? joining ?? rest[0]!, left);
  }
  return cuts;
}

/** Adds a range that starts where the last one ends, and joins the two where they are of one node. */
function append(ranges: SlotRange[], range: SlotRange): void {
  const last = ranges[ranges.length - 1];
  if (last === undefined || last.node !== range.node) ranges.push(range);
  else ranges[ranges.length - 1] = { node: range.node, firstSlot: last.firstSlot, endSlot: range.endSlot };
}
