/** Step: loads the keys, and counts at each node what it really holds. */

import { count, percent, signedPercent } from '../../../src/cli/draw/numbers.ts';
import { nodeCell } from './node-cell.ts';
import { batches, batchSize, keyAt, type TourContext, valueAt } from './tour-context.ts';

/**
 * How far a node may be from its ideal count. With 512 virtual nodes the shares spread by 4.4 %, and sampling the keys
 * adds next to nothing; 15 % is beyond three times that.
 */
const tolerance = 0.15;

export async function loadStep({ cache, nodes, report, keyCount }: TourContext): Promise<void> {
  const { placement, replicationFactor } = cache.topology;
  report.step(`${count(keyCount)} keys, each on ${replicationFactor} nodes`);
  const progress = report.progress('loading', keyCount, 4);
  for (const indexes of batches(keyCount)) {
    await cache.setMany(indexes.map((index) => [keyAt(index), valueAt(index)] as const));
    progress.advance(indexes.length);
  }
  progress.end();
  report.line();

  const primaries = countPrimaries(placement, keyCount);
  const counts = await countsOf(nodes, placement);
  const ideal = (keyCount * replicationFactor) / placement.nodes.length;
  const rows = placement.nodes.map(({ id }, index) => {
    const held = counts.get(id)!;
    return [
      nodeCell(report, id, index),
      count(primaries.get(id) ?? 0),
      count(held),
      count(Math.round(ideal)),
      signedPercent(held / ideal - 1),
    ];
  });
  const total = [...counts.values()].reduce((sum, held) => sum + held, 0);
  report.table(
    [
      { title: 'node', align: 'left' },
      { title: 'keys as primary', align: 'right' },
      { title: 'keys held', align: 'right' },
      { title: 'ideal', align: 'right' },
      { title: 'off by', align: 'right' },
    ],
    [...rows, ['all', count(keyCount), count(total), count(keyCount * replicationFactor), '']],
  );
  report.line();
  report.line(`  "Keys held" was counted at the nodes. Loaded ${count(batchSize)} keys a call, with setMany.`);
  report.check(`every key is on ${replicationFactor} nodes`, total === keyCount * replicationFactor);
  const furthest = Math.max(...[...counts.values()].map((held) => Math.abs(held / ideal - 1)));
  report.check(`no node is more than ${percent(tolerance)} off its ideal count`, furthest <= tolerance);
}

function countPrimaries(ring: { nodeFor(key: string): string }, keyCount: number): Map<string, number> {
  const primaries = new Map<string, number>();
  for (let index = 0; index < keyCount; index++) {
    const id = ring.nodeFor(keyAt(index));
    primaries.set(id, (primaries.get(id) ?? 0) + 1);
  }
  return primaries;
}

async function countsOf(
  nodes: TourContext['nodes'],
  ring: { readonly nodes: readonly { readonly id: string }[] },
): Promise<Map<string, number>> {
  return new Map(await Promise.all(ring.nodes.map(async ({ id }) => [id, await nodes.countKeys(id)] as const)));
}
