/**
 * One process of `placements.ts`: one kind of placement and one number of nodes, so that no other has used the caches.
 * Started with its task as JSON and `--expose-gc`; answers with a message.
 */

import { isShardringError } from '../../src/errors/index.ts';
import { isArcPlacement, isSlottedPlacement, type Placement } from '../../src/placement/placement.ts';
import { positionBits } from '../../src/placement/position.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import { cpuNanos, ratioTo, type Spread, spreadOf, type TimedLoop, timeLoops } from './cpu-rounds.ts';
import { addresses, type KindOfPlacement, kindsOfPlacement } from './kinds-of-placement.ts';
import { mean, median, peak, variation } from './statistics.ts';

export interface PlacementTask {
  readonly name: string;
  readonly nodeCount: number;
  readonly rounds: number;
  readonly sampleMs: number;
  /** Sets of names over which shares and moves are averaged. */
  readonly sets: number;
}

export interface Moved {
  /** Parts of all keys. */
  readonly share: number;
  readonly minimum: number;
  readonly needless: number;
}

export interface PlacementAnswer {
  readonly task: PlacementTask;
  readonly hashNanos: Spread;
  readonly oneNanos: Spread;
  readonly threeNanos: Spread;
  /** Round by round, of the hash that most of them share. */
  readonly oneOfHash: Spread;
  readonly buildMs: number;
  readonly addMs: number;
  /** Heap and typed arrays, with rows for one node and for three. */
  readonly bytesForOne: number;
  readonly bytesForThree: number;
  readonly variation: number;
  readonly peak: number;
  /** Undefined where the placement refuses such a change. */
  readonly add: Moved | undefined;
  readonly remove: Moved | undefined;
  readonly reweight: Moved | undefined;
}

const task = JSON.parse(process.argv[2]!) as PlacementTask;
const kind = kindsOfPlacement.find(({ name }) => name === task.name)!;
/** Every lookup is a look at all of many nodes: fewer keys must do. */
const isSlow = task.nodeCount > 100 && !isArcPlacement(kind.make(addresses(3, 0), 1));
const keys = Array.from({ length: isSlow ? 2_048 : 16_384 }, (_, index) => `user:${10_000 + index}`);
const three = Math.min(3, task.nodeCount);

function loops(one: Placement, row: Placement): TimedLoop[] {
  const ids = new Set(one.nodes.map(({ id }) => id));
  const owners = keys.map((key) => one.nodeFor(key));
  if (!owners.every((owner) => ids.has(owner))) throw new Error(`${task.name} names a node that is not there.`);
  if (!keys.every((key, index) => row.preferenceList(key, three)[0] === owners[index])) {
    throw new Error(`${task.name}: a list does not begin with the owner.`);
  }
  return [
    {
      name: 'hash',
      body: 'value = subject(key, 0);',
      subject: positionBits,
      keys,
      expected: keys.map((key) => positionBits(key, 0)),
    },
    {
      name: 'one',
      body: 'value = subject.nodeFor(key).length;',
      subject: one,
      keys,
      expected: owners.map(({ length }) => length),
    },
    {
      name: 'three',
      body: `const list = subject.preferenceList(key, ${three}); value = list[0].length + list[${three - 1}].length;`,
      subject: row,
      keys,
      expected: keys.map((key) => {
        const list = row.preferenceList(key, three);
        return list[0]!.length + list[three - 1]!.length;
      }),
    },
  ];
}

/** Bytes of one placement, of which several are made and kept: more of them where they are small. */
function bytesOf(replicationFactor: number): number {
  const bytes = bytesOfEach(4, replicationFactor);
  return bytes > 100_000 ? bytes : bytesOfEach(100, replicationFactor);
}

function bytesOfEach(copies: number, replicationFactor: number): number {
  const used = (set: number) => {
    const placement = kind.make(addresses(task.nodeCount, set), replicationFactor);
    // Tables make their lists when they are first asked for them, and those count too.
    if (replicationFactor > 1 && isSlottedPlacement(placement)) {
      for (const key of keys) placement.preferenceList(key, replicationFactor);
    }
    return placement;
  };
  // What all of them share, such as compiled code, is there before it is counted.
  used(copies);
  const kept: Placement[] = [];
  const before = bytesInUse();
  for (let set = 0; set < copies; set++) kept.push(used(set));
  const grown = bytesInUse() - before;
  if (kept.length !== copies) throw new Error('A copy was not kept.');
  return grown / copies;
}

function bytesInUse(): number {
  for (let time = 0; time < 2; time++) globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** CPU milliseconds of making it, and of adding a node, each time with other names. */
function timesOfChanges({ make }: KindOfPlacement): { buildMs: number; addMs: number } {
  const [builds, adds]: [number[], number[]] = [[], []];
  const times = task.rounds + 2;
  for (let set = 0; set < times; set++) {
    const ids = addresses(task.nodeCount, set);
    let placement: Placement | undefined;
    builds.push(
      cpuNanos(() => {
        placement = make(ids, 1);
      }),
    );
    adds.push(
      cpuNanos(() => {
        placement = placement!.withNode({ id: '10.255.0.1:6379' });
      }),
    );
  }
  // The first ones are spent on compiling.
  return { buildMs: median(builds.slice(2)) / 1e6, addMs: median(adds.slice(2)) / 1e6 };
}

/** Fewer keys to compare by than `planRebalance` takes on its own. */
const sample = isSlow ? { keySample: Array.from({ length: 8_192 }, (_, index) => `sample:${index}`) } : {};

/** The mean over sets of names; undefined if the placement refuses the change. */
function movedBy(placements: readonly Placement[], change: (placement: Placement) => Placement): Moved | undefined {
  try {
    const plans = placements.map((before) => planRebalance(before, change(before), sample));
    return {
      share: mean(plans.map(({ movedShare }) => movedShare)),
      minimum: mean(plans.map(({ minimumShare }) => minimumShare)),
      needless: mean(plans.map(({ needlessMoves, slots }) => needlessMoves / slots)),
    };
  } catch (error) {
    if (isShardringError(error)) return undefined;
    throw error;
  }
}

const sets = Array.from({ length: task.sets }, (_, set) => kind.make(addresses(task.nodeCount, set), 1));
// First of all, while nothing else has gone through the code.
const timed = timeLoops(loops(sets[0]!, kind.make(addresses(task.nodeCount, 0), three)), task);
const shares = sets.map((placement) => kind.shares?.(placement) ?? [...placement.shares().values()]);
const [hash, one, list] = timed;
/** In the middle, where the placement lets go of any; else the last one. */
const leaver = ({ nodes }: Placement) => nodes[Math.floor(nodes.length / 2)]!.id;
const last = ({ nodes }: Placement) => nodes.at(-1)!.id;
process.send!({
  task,
  hashNanos: spreadOf(hash!.samples),
  oneNanos: spreadOf(one!.samples),
  threeNanos: spreadOf(list!.samples),
  oneOfHash: ratioTo(hash!, one!),
  ...timesOfChanges(kind),
  bytesForOne: bytesOf(1),
  bytesForThree: bytesOf(three),
  variation: mean(shares.map(variation)),
  peak: mean(shares.map(peak)),
  add: movedBy(sets, (placement) => placement.withNode({ id: '10.255.0.1:6379' })),
  remove:
    movedBy(sets, (placement) => placement.withoutNode(leaver(placement))) ??
    movedBy(sets, (placement) => placement.withoutNode(last(placement))),
  reweight: movedBy(sets, (placement) => placement.withWeight(leaver(placement), 2)),
} satisfies PlacementAnswer);
process.disconnect();
