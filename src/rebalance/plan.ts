/**
 * A rebalancing plan: which keys go from which node to which when one placement follows another. Pure: it reads the two
 * placements and touches no server, so that a change can be judged before it is made.
 *
 * Symbols, with R the replication factor (or the number of nodes where there are fewer), S the slots (or whatever else the
 * two placements are compared by, see `diff.ts`):
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

import { InvalidArgumentError } from '../errors/index.ts';
import { expectPlacement } from '../placement/expect-placement.ts';
import { compareIds, type NodeId } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';
import { expectInteger, expectIterable, expectOptions, expectPositive } from '../runtime/validate.ts';
import type { PlacementDiff } from './comparison.ts';
import { diffPlacements } from './diff.ts';

export interface PlanOptions {
  /** Copies of each key. Integer of at least 1; default 1. Counts as the number of nodes where that is smaller. */
  readonly replicationFactor?: number | undefined;
  /**
   * Keys that stand for all, each alone or with the bytes it takes, for {@link RebalancePlan.estimate}; also what the
   * placements are compared by where they have no slots in common.
   */
  readonly keySample?: Iterable<string | readonly [key: string, bytes: number]> | undefined;
  /** Part of all keys that `keySample` holds, in (0, 1]; default 1, which is all of them. */
  readonly sampleRate?: number | undefined;
}

/** The keys of some slots going from one node to another. */
export interface Move {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Runs of slots [first, end), ascending. With another basis than 'slots': of its pieces, counted from 0. */
  readonly slots: readonly (readonly [first: number, end: number])[];
  /** With the basis 'ranges': the same runs as ranges of raw keys [start, end), the last of which may have no end. */
  readonly ranges?: readonly (readonly [start: string, end: string | undefined])[];
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
  /**
   * The basis of the comparison. 'slots': slots or positions, exact. 'ranges': the ranges of raw keys between
   * any two bounds, each counted as one. 'keys': a sample of keys, those of `keySample` or else 65,536 made up ones;
   * everything in the plan is then an estimate.
   */
  readonly basis: 'slots' | 'ranges' | 'keys';
  /** How many of those there are. */
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

/** Keys that stand for all where the user gives none. */
const madeUpKeys = 65_536;

/**
 * Any two placements can be compared, also of different kinds: this shows what it would cost to change from one to the
 * other.
 * @throws {InvalidArgumentError} An option is out of range.
 */
export function planRebalance(before: Placement, after: Placement, options: PlanOptions = {}): RebalancePlan {
  expectPlacement('before', before);
  expectPlacement('after', after);
  const given = expectOptions('options', options, ['replicationFactor', 'keySample', 'sampleRate']);
  const replicationFactor = expectInteger('replicationFactor', given.replicationFactor ?? 1, 1);
  const sampleRate = expectPositive('sampleRate', given.sampleRate ?? 1);
  if (sampleRate > 1) throw new InvalidArgumentError('sampleRate', 'a number in (0, 1]', sampleRate);
  const sample =
    options.keySample === undefined
      ? undefined
      : Array.from(expectIterable('keySample', options.keySample), keyAndBytes);

  const diff = diffPlacements(before, after, replicationFactor, () =>
    sample === undefined || sample.length === 0
      ? Array.from({ length: madeUpKeys }, (_, index) => `key:${index}`)
      : sample.map(([key]) => key),
  );
  const totalCopies = diff.pieces * Math.min(replicationFactor, after.nodes.length);
  const moves = movesOf(diff, before, after, totalCopies);
  const movedSlots = moves.reduce((sum, { slotCount }) => sum + slotCount, 0);
  const minimumSlots = before.nodes.length === 0 ? 0 : minimumOf(diff);
  return {
    replicationFactor,
    basis: diff.basis,
    slots: diff.pieces,
    moves,
    movedShare: shareOf(movedSlots, totalCopies),
    minimumShare: shareOf(minimumSlots, totalCopies),
    needlessMoves: movedSlots - minimumSlots,
    nodes: changesOf(diff, before, after, moves),
    ...(sample === undefined ? {} : { estimate: estimateOf(sample, sampleRate, before, after, replicationFactor) }),
  };
}

/** @throws {InvalidArgumentError} It is no key, alone or with the bytes it takes. The message does not hold the key. */
function keyAndBytes(entry: unknown, index: number): readonly [key: string, bytes: number] {
  if (typeof entry === 'string') return [entry, 0];
  const [key, bytes] = Array.isArray(entry) ? entry : [];
  if (typeof key === 'string' && typeof bytes === 'number' && Number.isFinite(bytes) && bytes >= 0) return [key, bytes];
  throw new InvalidArgumentError(`keySample[${index}]`, 'a key, or [key, bytes] with bytes of at least 0', entry);
}

const shareOf = (slots: number, total: number) => (total === 0 ? 0 : slots / total);

function movesOf(diff: PlacementDiff, before: Placement, after: Placement, totalCopies: number): Move[] {
  const byPair = new Map<number, { from: number; to: number; slots: [number, number][]; slotCount: number }>();
  for (const { first, end, from, to } of diff.runs) {
    const pair = from * after.nodes.length + to;
    const move = byPair.get(pair) ?? { from, to, slots: [], slotCount: 0 };
    byPair.set(pair, move);
    move.slots.push([first, end]);
    move.slotCount += end - first;
  }
  return [...byPair.values()]
    .map(({ from, to, slots, slotCount }) => ({
      from: before.nodes[from]!.id,
      to: after.nodes[to]!.id,
      slots,
      ...(diff.starts === undefined ? {} : { ranges: rangesOf(slots, diff.starts) }),
      slotCount,
      share: shareOf(slotCount, totalCopies),
    }))
    .sort((a, b) => compareIds(a.from, b.from) || compareIds(a.to, b.to));
}

const rangesOf = (runs: readonly [number, number][], starts: readonly string[]) =>
  runs.map(([first, end]) => [starts[first]!, starts[end]] as const);

function changesOf(diff: PlacementDiff, before: Placement, after: Placement, moves: readonly Move[]): NodeChange[] {
  const totalBefore = diff.copiesBefore.reduce((total, count) => total + count, 0);
  const totalAfter = diff.copiesAfter.reduce((total, count) => total + count, 0);
  const received = new Map<NodeId, number>();
  for (const { to, slotCount } of moves) received.set(to, (received.get(to) ?? 0) + slotCount);
  const changeOf = (id: NodeId, countBefore: number, countAfter: number): NodeChange => {
    const slotsIn = received.get(id) ?? 0;
    return {
      id,
      shareBefore: shareOf(countBefore, totalBefore),
      shareAfter: shareOf(countAfter, totalAfter),
      slotsIn,
      // A copy that is added and not moved leaves its source where it is; the first nodes have theirs from nowhere.
      slotsOut: before.nodes.length === 0 ? 0 : countBefore + slotsIn - countAfter,
    };
  };
  const stay = new Set(diff.indexBefore);
  return [
    ...after.nodes.map(({ id }, index) => changeOf(id, copiesHeld(diff, index), diff.copiesAfter[index]!)),
    ...before.nodes.flatMap(({ id }, index) => (stay.has(index) ? [] : [changeOf(id, diff.copiesBefore[index]!, 0)])),
  ].sort((a, b) => compareIds(a.id, b.id));
}

/** Copies that a node held before, by its index after. */
function copiesHeld({ copiesBefore, indexBefore }: PlacementDiff, index: number): number {
  return indexBefore[index] === -1 ? 0 : copiesBefore[indexBefore[index]!]!;
}

function minimumOf(diff: PlacementDiff): number {
  return diff.copiesAfter.reduce((sum, copies, index) => sum + Math.max(0, copies - copiesHeld(diff, index)), 0);
}

function estimateOf(
  sample: readonly (readonly [key: string, bytes: number])[],
  sampleRate: number,
  before: Placement,
  after: Placement,
  replicationFactor: number,
): NonNullable<RebalancePlan['estimate']> {
  const holdersBy = (placement: Placement, key: string) =>
    placement.nodes.length === 0
      ? []
      : placement.preferenceList(key, Math.min(replicationFactor, placement.nodes.length));
  let [movedKeys, movedBytes] = [0, 0];
  for (const [key, bytes] of sample) {
    const was = holdersBy(before, key);
    // Without pieces, nothing moves.
    const copies = was.length === 0 ? 0 : holdersBy(after, key).filter((node) => !was.includes(node)).length;
    movedKeys += copies;
    movedBytes += copies * bytes;
  }
  const scale = (count: number) => Math.round(count / sampleRate);
  return { keys: scale(sample.length), movedKeys: scale(movedKeys), movedBytes: scale(movedBytes) };
}
