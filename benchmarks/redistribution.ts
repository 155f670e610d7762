/**
 * How many keys move when the nodes change: shardring against two npm packages and modulo.
 *
 *   moved share           keys that another node has after the change / all keys, mean of the trials
 *   theoretical minimum   what must move where every node has exactly its share by weight, before and after
 *   ratio                 moved share / theoretical minimum
 *   moved needlessly      keys that went from one node to another though neither was added, removed or reweighted, per trial
 *
 * Each trial has nodes of other names, so that no lucky name decides; all keys and names come from a fixed seed, and the
 * same numbers come out on every machine. Before anything is printed, shardring's moved shares are checked against the
 * exact figure of `planRebalance`, and its needless moves against 0.
 *
 * What the numbers do not prove: anything about speed; about keys in use, whose sizes and heat differ; or about how even
 * a placement is. A ratio below 1 is no merit: the node that joined got less than its share, or the one that left had
 * less. With few keys per node the ratio scatters; the range over the trials is in the JSON.
 *
 *   tsx benchmarks/redistribution.ts [--smoke] [--json FILE]
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { count } from '../src/cli/draw/numbers.ts';
import { tableLines } from '../src/cli/draw/table.ts';
import { HashRing } from '../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../src/rebalance/plan.ts';
import { seededRandom } from '../src/runtime/random.ts';
import { type Change, changedRing, type Member, type Method, methods } from './support/placements.ts';

const { values } = parseArgs({ options: { smoke: { type: 'boolean', default: false }, json: { type: 'string' } } });
const seed = 1;
const trials = values.smoke ? 2 : 5;
const keyCount = values.smoke ? 10_000 : 100_000;
const nodeCounts = values.smoke ? [3, 10] : [3, 10, 100, 1_000];
const changeKinds = ['add', 'remove', 'reweight'] as const;
type ChangeKind = (typeof changeKinds)[number];

interface Result {
  readonly contender: string;
  readonly nodes: number;
  readonly change: ChangeKind;
  readonly theoreticalMinimum: number;
  /** Null where the contender has no such change; `why` says so. */
  readonly movedShare: { readonly mean: number; readonly least: number; readonly most: number } | null;
  readonly ratio: number | null;
  /** Keys of one trial, mean of the trials. */
  readonly movedNeedlessly: number | null;
  readonly why?: string;
}

function seededKeys(): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: keyCount }, (_, index) => `user:${index}:${Math.floor(random() * 2 ** 32).toString(36)}`);
}

/** Member `index` of a trial, an address as a node might have: what all four take as a name. */
const memberOf = (trial: number, index: number): Member => ({
  id: `10.${trial}.${Math.floor(index / 250)}.${(index % 250) + 1}:6379`,
  weight: 1,
});

function changeOf(kind: ChangeKind, members: readonly Member[], trial: number): Change {
  if (kind === 'add') return { kind, member: memberOf(trial, members.length) };
  // Spread over the list, since to modulo it matters where a node stood: without the last one, it moves less.
  const { id } = members[Math.floor(((trial + 0.5) / trials) * members.length)]!;
  return kind === 'remove' ? { kind, id } : { kind, id, weight: 2 };
}

function theoreticalMinimum(kind: ChangeKind, nodes: number): number {
  if (kind === 'add') return 1 / (nodes + 1);
  return kind === 'remove' ? 1 / nodes : 2 / (nodes + 1) - 1 / nodes;
}

const changedId = (change: Change) => (change.kind === 'add' ? change.member.id : change.id);

function compare(before: readonly string[], after: readonly string[], change: Change) {
  const changed = changedId(change);
  let [moved, needless] = [0, 0];
  for (let index = 0; index < before.length; index++) {
    if (before[index] === after[index]) continue;
    moved++;
    if (before[index] !== changed && after[index] !== changed) needless++;
  }
  return { movedShare: moved / before.length, needless };
}

/** Five standard errors of a share counted over the keys: passed by chance once in two million runs. */
const tolerance = (share: number) => 5 * Math.sqrt((share * (1 - share)) / keyCount);

/** @throws {Error} What was counted is not what `planRebalance` says. */
function checkAgainstPlan(
  members: readonly Member[],
  change: Change,
  counted: { movedShare: number; needless: number },
): void {
  const ring = HashRing.create(members);
  const plan = planRebalance(ring, changedRing(ring, change));
  const where = `shardring, ${members.length} nodes, ${change.kind}`;
  if (plan.needlessMoves !== 0 || counted.needless !== 0) {
    throw new Error(
      `${where}: ${plan.needlessMoves} slots and ${counted.needless} keys moved needlessly, expected none.`,
    );
  }
  if (Math.abs(counted.movedShare - plan.movedShare) > tolerance(plan.movedShare)) {
    throw new Error(`${where}: ${counted.movedShare} of the keys moved, the plan says ${plan.movedShare}.`);
  }
}

function measure(method: Method, nodes: number, keys: readonly string[]): Result[] {
  const counted = changeKinds.map((): { movedShare: number; needless: number }[] => []);
  for (let trial = 0; trial < trials; trial++) {
    const members = Array.from({ length: nodes }, (_, index) => memberOf(trial, index));
    const placed = method.place(members, seed + trial);
    const before = keys.map((key) => placed.nodeFor(key));
    for (const [index, kind] of changeKinds.entries()) {
      const change = changeOf(kind, members, trial);
      const changed = placed.after(change);
      if (changed === undefined) continue;
      const after = keys.map((key) => changed.nodeFor(key));
      const result = compare(before, after, change);
      if (method.name === 'shardring') checkAgainstPlan(members, change, result);
      counted[index]!.push(result);
    }
  }
  return changeKinds.map((kind, index) => resultOf(method, nodes, kind, counted[index]!));
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

function resultOf(
  method: Method,
  nodes: number,
  change: ChangeKind,
  counted: readonly { movedShare: number; needless: number }[],
): Result {
  const minimum = theoreticalMinimum(change, nodes);
  const common = { contender: method.name, nodes, change, theoreticalMinimum: minimum };
  if (counted.length === 0) {
    return { ...common, movedShare: null, ratio: null, movedNeedlessly: null, why: method.without ?? 'not offered' };
  }
  const shares = counted.map(({ movedShare }) => movedShare);
  return {
    ...common,
    movedShare: { mean: mean(shares), least: Math.min(...shares), most: Math.max(...shares) },
    ratio: mean(shares) / minimum,
    movedNeedlessly: mean(counted.map(({ needless }) => needless)),
  };
}

/** With three decimals, since of 1,000 nodes one has 0.1 %. */
const percent = (share: number) => `${(share * 100).toFixed(3)} %`;

function table(results: readonly Result[]): string[] {
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const left = (title: string) => ({ title, align: 'left' }) as const;
  return tableLines(
    [
      left('contender'),
      right('nodes'),
      left('change'),
      right('moved share'),
      right('theoretical minimum'),
      right('ratio'),
      right('moved needlessly'),
      left(''),
    ],
    results.map(({ contender, nodes, change, movedShare, theoreticalMinimum, ratio, movedNeedlessly, why }) => [
      contender,
      count(nodes),
      change === 'reweight' ? 'weight 1 -> 2' : change,
      movedShare === null ? 'n/a' : percent(movedShare.mean),
      percent(theoreticalMinimum),
      ratio === null ? 'n/a' : ratio.toFixed(2),
      movedNeedlessly === null ? 'n/a' : count(Math.round(movedNeedlessly)),
      why ?? '',
    ]),
  );
}

const keys = seededKeys();
const results = nodeCounts.flatMap((nodes) => methods.flatMap((method) => measure(method, nodes, keys)));
console.log(`${count(keyCount)} keys, mean of ${trials} trials, seed ${seed}; checked against planRebalance\n`);
console.log(table(results).join('\n'));

// The committed figures are those of the full run; a smoke run writes only where it is told to.
const file = values.json ?? (values.smoke ? undefined : 'benchmarks/results/redistribution.json');
if (file !== undefined) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ keys: keyCount, trials, seed, results }, null, 2)}\n`);
  console.log(`\nWrote ${file}.`);
}
