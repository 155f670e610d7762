/** A rebalancing plan as text: how much moves against how little could, from where to where, and what each node gets. */

import type { RebalancePlan } from '../../rebalance/plan.ts';
import { bytes, count, counted, percent, signedPercent } from './numbers.ts';
import { type Column, tableLines } from './table.ts';
import { fit, visible } from './visible-text.ts';

const maxIdWidth = 32;

const nodeName = (id: string) => fit(visible(id), maxIdWidth);

export function drawPlan(plan: RebalancePlan): string {
  const nodes = ['', ...nodeTable(plan)];
  const moves = plan.moves.length === 0 ? [] : ['', ...moveTable(plan)];
  return [...summaryLines(plan), ...moves, ...nodes, ''].join('\n');
}

function summaryLines(plan: RebalancePlan): string[] {
  const { movedShare, minimumShare, needlessMoves, moves, estimate } = plan;
  const movedSlots = moves.reduce((sum, { slotCount }) => sum + slotCount, 0);
  // With one copy of each key a slot's copy is the slot itself.
  const noun = plan.replicationFactor === 1 ? 'slot' : 'slot copy';
  const slots = (value: number) =>
    noun === 'slot' ? counted(value, 'slot') : `${count(value)} slot ${value === 1 ? 'copy' : 'copies'}`;
  const rows = [
    ['moved share', percent(movedShare), slots(movedSlots)],
    ['theoretical minimum', percent(minimumShare), slots(movedSlots - needlessMoves)],
    ['needless moves', movedSlots === 0 ? percent(0) : percent(movedShare - minimumShare), slots(needlessMoves)],
  ];
  if (estimate !== undefined) {
    const { keys, movedKeys, movedBytes } = estimate;
    const copies =
      keys * Math.min(plan.replicationFactor, plan.nodes.filter(({ shareAfter }) => shareAfter > 0).length);
    const carried = movedBytes === 0 ? '' : `, ${bytes(movedBytes)}`;
    rows.push([
      plan.replicationFactor === 1 ? 'keys moved' : 'key copies moved',
      copies === 0 ? '-' : percent(movedKeys / copies),
      `${count(movedKeys)} of ${count(copies)}${carried}`,
    ]);
  }
  const columns: Column[] = [
    { title: '', align: 'left' },
    { title: '', align: 'right' },
    { title: '', align: 'left' },
  ];
  return tableLines(columns, rows).slice(1);
}

function moveTable({ moves }: RebalancePlan): string[] {
  const columns: Column[] = [
    { title: 'from', align: 'left' },
    { title: 'to', align: 'left' },
    { title: 'slots', align: 'right' },
    { title: 'share', align: 'right' },
  ];
  return tableLines(
    columns,
    moves.map(({ from, to, slotCount, share }) => [nodeName(from), nodeName(to), count(slotCount), percent(share)]),
  );
}

function nodeTable({ nodes }: RebalancePlan): string[] {
  const columns: Column[] = [
    { title: 'node', align: 'left' },
    { title: 'before', align: 'right' },
    { title: 'after', align: 'right' },
    { title: 'change', align: 'right' },
    { title: 'slots in', align: 'right' },
    { title: 'slots out', align: 'right' },
  ];
  return tableLines(
    columns,
    nodes.map(({ id, shareBefore, shareAfter, slotsIn, slotsOut }) => [
      nodeName(id),
      percent(shareBefore),
      percent(shareAfter),
      signedPercent(shareAfter - shareBefore),
      count(slotsIn),
      count(slotsOut),
    ]),
  );
}
