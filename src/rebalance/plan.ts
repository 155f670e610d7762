/**
 * A rebalancing plan: which keys go from which node to which when one placement follows another. Pure: it reads the two
 * placements and touches no server, so that a change can be judged before it is made.
 *
 * Symbols, with R the replication factor (or the number of nodes where there are fewer), S the slots:
 *
 *   copies of node n   slots in whose first R places n stands            c(n), sum over n is S * R
 *   moved share        copies that must be made / (S * R after)          in [0, 1]
 *   minimum share      sum over n of max(0, c_after(n) - c_before(n)) / (S * R after)
 *
 * The minimum is a lower bound for any method that ends with the same number of copies at each node: a node that is to
 * hold more slots than before must be sent at least the difference. For a ring and a change of one node the two are
 * equal, and `needlessMoves` is 0. Two changes taken as one can move more than the minimum: where `c` leaves and `d`
 * joins, keys of `c` go to the others, and keys of the others to `d`.
 */

import { InvalidArgumentError } from '../errors.ts';
import type { NodeId } from '../placement/node.ts';
import type { SlottedPlacement } from '../placement/placement.ts';
import { expectInteger, expectOptions, expectPositive } from '../runtime/validate.ts';
import { diffSlots, type SlotDiff } from './diff.ts';

export interface PlanOptions {
  /** Copies of each key. Integer of at least 1; default 1. Counts as the number of nodes where that is smaller. */
  readonly replicationFactor?: number | undefined;
  /** Keys that stand for all, each alone or with the bytes it takes, for {@link RebalancePlan.estimate}. */
  readonly keySample?: Iterable<string | readonly [key: string, bytes: number]> | undefined;
  /** Part of all keys that `keySample` holds, in (0, 1]; default 1, which is all of them. */
  readonly sampleRate?: number | undefined;
}

/** The keys of some slots going from one node to another. */
export interface Move {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Runs of slots [first, end), ascending. */
  readonly slots: readonly (readonly [first: number, end: number])[];
  readonly slotCount: number;
  /** Part of all copies that this move carries. */
  readonly share: number;
}

export interface NodeChange {
  readonly id: NodeId;
  /** Part of all copies at this node; 0 where it is not a member. */
  readonly shareBefore: number;
  readonly shareAfter: number;
  /** Slots whose keys the node is sent, and whose keys it gives up. */
  readonly slotsIn: number;
  readonly slotsOut: number;
}

export interface RebalancePlan {
  readonly replicationFactor: number;
  readonly slots: number;
  /** One for each pair of nodes that has something to move, ordered by `from` and `to`. */
  readonly moves: readonly Move[];
  readonly movedShare: number;
  readonly minimumShare: number;
  /** Slot copies moved beyond the minimum. 0 for a ring of which one node joined, left, or changed its weight. */
  readonly needlessMoves: number;
  /** Every node of either placement, ascending by id. */
  readonly nodes: readonly NodeChange[];
  /**
   * Only where a `keySample` was given: the keys there are, and what the moves carry, scaled by `sampleRate`. A key of
   * which two copies move counts twice in `movedKeys`, and its bytes twice in `movedBytes`.
   */
  readonly estimate?: { readonly keys: number; readonly movedKeys: number; readonly movedBytes: number };
}

/** @throws {InvalidArgumentError} An option is out of range, or the placements have different slots or hash seeds. */
export function planRebalance(
  before: SlottedPlacement,
  after: SlottedPlacement,
  options: PlanOptions = {},
): RebalancePlan {
  const given = expectOptions('options', options, ['replicationFactor', 'keySample', 'sampleRate']);
  const replicationFactor = expectInteger('replicationFactor', given.replicationFactor ?? 1, 1);
  const sampleRate = expectPositive('sampleRate', given.sampleRate ?? 1);
  if (sampleRate > 1) throw new InvalidArgumentError('sampleRate', 'a number in (0, 1]', sampleRate);

  const diff = diffSlots(before, after, replicationFactor);
  const totalCopies = after.slots * Math.min(replicationFactor, after.nodes.length);
  const moves = movesOf(diff, before, after, totalCopies);
  const nodes = changesOf(diff, before, after, moves);
  const movedSlots = moves.reduce((sum, { slotCount }) => sum + slotCount, 0);
  const minimumSlots = before.nodes.length === 0 ? 0 : minimumOf(diff, before, after);
  return {
    replicationFactor,
    slots: after.slots,
    moves,
    movedShare: shareOf(movedSlots, totalCopies),
    minimumShare: shareOf(minimumSlots, totalCopies),
    needlessMoves: movedSlots - minimumSlots,
    nodes,
    ...(options.keySample === undefined ? {} : { estimate: estimateOf(options.keySample, sampleRate, after, diff) }),
  };
}

const shareOf = (slots: number, total: number) => (total === 0 ? 0 : slots / total);

function movesOf(diff: SlotDiff, before: SlottedPlacement, after: SlottedPlacement, totalCopies: number): Move[] {
  const bySource = new Map<number, Map<number, { slots: [number, number][]; slotCount: number }>>();
  for (const { firstSlot, endSlot, from, to } of diff.runs) {
    const byTarget = getOrAdd(bySource, from, () => new Map());
    const move = getOrAdd(byTarget, to, () => ({ slots: [], slotCount: 0 }));
    move.slots.push([firstSlot, endSlot]);
    move.slotCount += endSlot - firstSlot;
  }
  const ascending = <V>(map: Map<number, V>) => [...map].sort(([a], [b]) => a - b);
  return ascending(bySource).flatMap(([from, byTarget]) =>
    ascending(byTarget).map(([to, { slots, slotCount }]) => ({
      from: before.nodes[from]!.id,
      to: after.nodes[to]!.id,
      slots,
      slotCount,
      share: shareOf(slotCount, totalCopies),
    })),
  );
}

function getOrAdd<Key, Item>(map: Map<Key, Item>, key: Key, make: () => Item): Item {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function changesOf(
  diff: SlotDiff,
  before: SlottedPlacement,
  after: SlottedPlacement,
  moves: readonly Move[],
): NodeChange[] {
  const copiesBefore = new Map(before.nodes.map(({ id }, index) => [id, diff.copiesBefore[index]!]));
  const copiesAfter = new Map(after.nodes.map(({ id }, index) => [id, diff.copiesAfter[index]!]));
  const sum = (copies: Uint32Array) => copies.reduce((total, count) => total + count, 0);
  const [totalBefore, totalAfter] = [sum(diff.copiesBefore), sum(diff.copiesAfter)];
  const slotsOf = (chosen: (move: Move) => boolean) =>
    moves.reduce((total, move) => (chosen(move) ? total + move.slotCount : total), 0);
  return [...new Set([...copiesBefore.keys(), ...copiesAfter.keys()])].sort().map((id) => {
    const [countBefore, countAfter] = [copiesBefore.get(id) ?? 0, copiesAfter.get(id) ?? 0];
    const slotsIn = slotsOf((move) => move.to === id);
    return {
      id,
      shareBefore: shareOf(countBefore, totalBefore),
      shareAfter: shareOf(countAfter, totalAfter),
      slotsIn,
      // A copy that is added and not moved leaves its source where it is.
      slotsOut: countBefore + slotsIn - countAfter,
    };
  });
}

function minimumOf(diff: SlotDiff, before: SlottedPlacement, after: SlottedPlacement): number {
  const indexBefore = new Map(before.nodes.map(({ id }, index) => [id, index]));
  return after.nodes.reduce((sum, { id }, index) => {
    const known = indexBefore.get(id);
    const held = known === undefined ? 0 : diff.copiesBefore[known]!;
    return sum + Math.max(0, diff.copiesAfter[index]! - held);
  }, 0);
}

function estimateOf(
  keySample: NonNullable<PlanOptions['keySample']>,
  sampleRate: number,
  after: SlottedPlacement,
  diff: SlotDiff,
): NonNullable<RebalancePlan['estimate']> {
  // How many copies leave each slot.
  const movesOfSlot = new Uint16Array(after.slots);
  for (const { firstSlot, endSlot } of diff.runs) {
    for (let slot = firstSlot; slot < endSlot; slot++) movesOfSlot[slot]!++;
  }
  let [keys, movedKeys, movedBytes] = [0, 0, 0];
  for (const entry of keySample) {
    const [key, bytes] = typeof entry === 'string' ? [entry, 0] : entry;
    const copies = movesOfSlot[after.slotOf(key)]!;
    keys++;
    movedKeys += copies;
    movedBytes += copies * bytes;
  }
  const scale = (count: number) => Math.round(count / sampleRate);
  return { keys: scale(keys), movedKeys: scale(movedKeys), movedBytes: scale(movedBytes) };
}
