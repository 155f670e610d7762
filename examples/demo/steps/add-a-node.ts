/** Step: one more node. The plan first, then the change while keys are read, then the reads without the previous owners. */

import { type HashRing, planRebalance, type RebalancePlan } from 'shardring';
import { count, percent, signedPercent } from '../../../src/cli/draw/numbers.ts';
import { isPerfect } from './lose-a-node.ts';
import { nodeCell } from './node-cell.ts';
import { errorCount, hitRatio, readAll, summaryOf } from './read-all.ts';
import { keyAt, ringOf, type TourContext } from './tour-context.ts';

export async function addANodeStep(context: TourContext): Promise<void> {
  const { cache, nodes, report } = context;
  const joining = await nodes.addOne();
  report.step(`${joining.id} joins`);

  const before = ringOf(cache);
  const after = before.withNode({ id: joining.id });
  const plan = planRebalance(before, after, { replicationFactor: cache.topology.replicationFactor });
  showPlan(context, plan, before, after);

  const ratioBefore = hitRatio(await readAll(context, 'before'));
  let rebalance: ReturnType<typeof cache.addNode> | undefined;
  const during = await readAll(context, 'while', async () => {
    rebalance = cache.addNode(joining);
    await rebalance;
    report.line(`  ${joining.id} is a member; what it misses is fetched from the previous owners.`);
  });
  const completed = await readAll(context, 'after');
  rebalance!.cancel();
  report.line('  The previous owners are not asked any more.');
  const alone = await readAll(context, 'alone');
  report.line();
  const passes = { 'While it joined': during, 'After it joined': completed, 'By the new ring alone': alone };
  report.line(`  Before: hit ratio ${percent(ratioBefore)}`);
  for (const [when, pass] of Object.entries(passes)) report.line(`  ${when}: ${summaryOf(pass)}`);
  const held = await nodes.countKeys(joining.id);
  const due = keysDueAt(context, joining.id);
  report.line(`  ${joining.id} holds ${count(held)} keys of the ${count(due)} it is to hold, filled by the reads.`);

  report.line();
  const all = Object.values(passes);
  report.check(
    `the hit ratio did not fall (${percent(ratioBefore)} before)`,
    all.every((pass) => hitRatio(pass) >= ratioBefore),
  );
  report.check(
    '0 errors, and every value was right',
    all.every((pass) => errorCount(pass) === 0 && isPerfect(pass)),
  );
  report.check('the new node has every key that it is to hold, second copies too', held === due);
  report.check(
    'the moved share is the theoretical minimum',
    plan.needlessMoves === 0 && plan.movedShare <= plan.minimumShare,
  );
}

/** Keys that have the node among their holders, by the placement alone. */
function keysDueAt({ cache, keyCount }: TourContext, id: string): number {
  const { placement, replicationFactor } = cache.topology;
  let due = 0;
  for (let index = 0; index < keyCount; index++) {
    if (placement.preferenceList(keyAt(index), replicationFactor).includes(id)) due++;
  }
  return due;
}

function showPlan({ report, keyCount }: TourContext, plan: RebalancePlan, before: HashRing, after: HashRing): void {
  report.table(
    [
      { title: 'node', align: 'left' },
      { title: 'share before', align: 'right' },
      { title: 'after', align: 'right' },
      { title: 'change', align: 'right' },
      { title: 'slots in', align: 'right' },
      { title: 'slots out', align: 'right' },
    ],
    plan.nodes.map(({ id, shareBefore, shareAfter, slotsIn, slotsOut }, index) => [
      nodeCell(report, id, index),
      percent(shareBefore),
      percent(shareAfter),
      signedPercent(shareAfter - shareBefore),
      count(slotsIn),
      count(slotsOut),
    ]),
  );
  report.line();
  report.line(`  Moved share          ${percent(plan.movedShare).padStart(8)}  of all copies`);
  report.line(
    `  Theoretical minimum  ${percent(plan.minimumShare).padStart(8)}  needless moves: ${plan.needlessMoves}`,
  );
  const modulo = percent(movedByModulo(before, after, keyCount));
  report.line(`  With hash modulo N   ${modulo.padStart(8)}  of the keys would change their node`);
  report.line();
}

/** What the naive way would move: the part of the keys with another remainder. */
function movedByModulo(before: HashRing, after: HashRing, keyCount: number): number {
  let moved = 0;
  for (let index = 0; index < keyCount; index++) {
    const position = before.positionOf(keyAt(index));
    if (position % before.nodes.length !== position % after.nodes.length) moved++;
  }
  return moved / keyCount;
}
