/**
 * One process of the benchmark of changes: one number of nodes and of points. Each time everything is made anew, with
 * nodes of other names, since a ring that is in use is changed once and not again and again.
 */

import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import { cpuNanos } from '../support/cpu-rounds.ts';
import { peerKinds } from '../support/peers.ts';

export interface ChangesTask {
  readonly nodeCount: number;
  readonly pointsPerNode: number;
  readonly replicationFactor: number;
  readonly rounds: number;
  /** Whether the other packages take part. */
  readonly peers: boolean;
}

/** CPU milliseconds by what was done, one for each round; the first of them before anything was compiled. */
export type ChangeTimes = Readonly<Record<string, readonly number[]>>;

export interface ChangesAnswer {
  readonly task: ChangesTask;
  readonly contenders: readonly { readonly name: string; readonly times: ChangeTimes }[];
}

const task = JSON.parse(process.argv[2]!) as ChangesTask;
const idsOf = (round: number) => Array.from({ length: task.nodeCount }, (_, index) => `cache-${round}-${index}`);

class Times {
  readonly ms: Record<string, number[]> = {};

  take<Result>(what: string, work: () => Result): Result {
    let result: Result | undefined;
    const nanos = cpuNanos(() => {
      result = work();
    });
    this.ms[what] ??= [];
    this.ms[what].push(nanos / 1e6);
    return result as Result;
  }
}

function changeRing(round: number, times: Times): void {
  const ids = idsOf(round);
  const { pointsPerNode, replicationFactor } = task;
  const nodes = ids.map((id) => ({ id }));
  const changed = ids[(round * 7) % ids.length]!;
  const plan = (before: HashRing, after: HashRing) => planRebalance(before, after, { replicationFactor });
  const ring = times.take('build', () => HashRing.create(nodes, { virtualNodes: pointsPerNode, replicationFactor }));
  const added = times.take('add', () => ring.withNode({ id: `new-${round}` }));
  const addPlan = times.take('plan of add', () => plan(ring, added));
  // The plan above has counted what each node of `ring` holds, so this one starts from a ring that has not.
  const after = added.withWeight(changed, 1.5);
  const removed = times.take('remove', () => after.withoutNode(changed));
  const removePlan = times.take('plan of remove', () => plan(after, removed));
  const reweighted = times.take('reweight', () => removed.withWeight(`new-${round}`, 2));
  const reweightPlan = times.take('plan of reweight', () => plan(removed, reweighted));
  for (const [what, { needlessMoves, movedShare }] of Object.entries({ addPlan, removePlan, reweightPlan })) {
    if (needlessMoves !== 0 || movedShare === 0) throw new Error(`${what}: ${needlessMoves} slots moved needlessly.`);
  }
}

function changePeer(kind: (typeof peerKinds)[number], round: number, times: Times): boolean {
  const ids = idsOf(round);
  const known = new Set([...ids, 'new', '']);
  let peer: ReturnType<typeof kind.make>;
  const lookUp = (key: string) => {
    if (!known.has(peer!.nodeFor(key))) throw new Error(`${kind.name} names a node that is not there.`);
  };
  // Each ends with a lookup, since one of the packages puts the work off until then.
  times.take('build', () => {
    peer = kind.make(ids, task.pointsPerNode);
    if (peer !== undefined) lookUp('user:1');
  });
  if (peer === undefined) return false;
  times.take('add', () => {
    peer!.add('new');
    lookUp('user:2');
  });
  times.take('remove', () => {
    peer!.remove(ids[(round * 7) % ids.length]!);
    lookUp('user:3');
  });
  return true;
}

const ours = new Times();
for (let round = 0; round < task.rounds; round++) changeRing(round, ours);
const contenders: { name: string; times: ChangeTimes }[] = [{ name: 'shardring', times: ours.ms }];
for (const kind of task.peers ? peerKinds : []) {
  const times = new Times();
  let takesPart = true;
  // They take so long that a few rounds must do.
  for (let round = 0; takesPart && round < Math.min(task.rounds, 7); round++)
    takesPart = changePeer(kind, round, times);
  if (takesPart) contenders.push({ name: kind.name, times: times.ms });
}
process.send!({ task, contenders } satisfies ChangesAnswer);
process.disconnect();
