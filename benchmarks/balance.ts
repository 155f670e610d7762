/**
 * How even rings are by the number of points and of slots, beside what `src/placement/balance.ts` expects, and what such
 * rings take in memory and time. Part of `npm run bench:placements`.
 *
 * Shares are exact and repeat on every machine: mean over sets of names, 200 of them for 10 nodes, 40 for 100 and 10 for
 * 1,000. Times are CPU milliseconds of this machine, and mean little where others use it.
 */

import { count } from '../src/cli/draw/numbers.ts';
import { expectedSpread } from '../src/placement/balance.ts';
import { HashRing } from '../src/placement/ring/hash-ring.ts';
import { cpuNanos } from './support/cpu-rounds.ts';
import { addresses } from './support/kinds-of-placement.ts';
import type { Table } from './support/page.ts';
import { mean, median, peak, variation } from './support/statistics.ts';

interface Setting {
  readonly nodes: number;
  readonly virtualNodes: number;
  readonly slots: number;
}

interface Figures {
  readonly variation: number;
  readonly fullest: number;
  readonly buildMs: number;
  readonly addMs: number;
  readonly removeMs: number;
}

const setsFor = (nodes: number) => (nodes < 100 ? 200 : nodes < 1_000 ? 40 : 10);

function measure({ nodes, virtualNodes, slots }: Setting, sets: number): Figures {
  const [variations, peaks, builds, adds, removes]: number[][] = [[], [], [], [], []];
  for (let set = 0; set < sets; set++) {
    const members = addresses(nodes, set).map((id) => ({ id }));
    let [ring, larger]: (HashRing | undefined)[] = [];
    builds!.push(cpuNanos(() => (ring = HashRing.create(members, { virtualNodes, slots }))) / 1e6);
    adds!.push(cpuNanos(() => (larger = ring!.withNode({ id: '10.255.0.1:6379' }))) / 1e6);
    removes!.push(cpuNanos(() => larger!.withoutNode(members[nodes >> 1]!.id)) / 1e6);
    const shares = [...ring!.shares().values()];
    variations!.push(variation(shares));
    peaks!.push(peak(shares));
  }
  return {
    variation: mean(variations!),
    fullest: mean(peaks!),
    buildMs: median(builds!),
    addMs: median(adds!),
    removeMs: median(removes!),
  };
}

/** Bytes of the arrays that a ring keeps: 6 for each point, 2 for each slot and node of a row, 2 for each slot's owner. */
function arrayBytes({ nodes, virtualNodes, slots }: Setting, replicationFactor: number): number {
  // The owners are apart from the rows but where a row is one owner of two bytes already.
  const ownerBytes = nodes <= 256 ? 1 : replicationFactor === 1 ? 0 : 2;
  return 6 * nodes * virtualNodes + (2 * replicationFactor + ownerBytes) * slots;
}

export function balanceTables(smoke: boolean): Table[] {
  const nodeCounts = smoke ? [10] : [10, 100, 1_000];
  const points = smoke ? [160] : [160, 512, 1_024];
  const slotCounts = smoke ? [2 ** 16] : [2 ** 16, 2 ** 18, 2 ** 20];
  const measured = points.flatMap((virtualNodes) =>
    slotCounts.map((slots) => ({
      virtualNodes,
      slots,
      byNodes: nodeCounts.map((nodes) => {
        const setting = { nodes, virtualNodes, slots };
        return { setting, figures: measure(setting, smoke ? 3 : setsFor(nodes)) };
      }),
    })),
  );
  const tableOf = (title: string, names: readonly string[], cells: (each: Case) => readonly string[]): Table => ({
    title,
    columns: ['points, slots', ...nodeCounts.flatMap((nodes) => names.map((name) => `${name}, ${count(nodes)}`))],
    rows: measured.map(({ virtualNodes, slots, byNodes }) => [
      `${count(virtualNodes)}, 2^${Math.log2(slots)}`,
      ...byNodes.flatMap(cells),
    ]),
  });
  return [
    tableOf('Spread and fullest node, measured (expected), by number of nodes', ['spread', 'fullest'], (each) => {
      const { nodes, virtualNodes, slots } = each.setting;
      const members = addresses(nodes, 0).map((id) => ({ id, weight: 1, zone: undefined }));
      const expected = expectedSpread(members, virtualNodes, slots);
      return [
        `${percent(each.figures.variation)} (${percent(expected.coefficientOfVariation)})`,
        `${each.figures.fullest.toFixed(3)} (${expected.fullest.toFixed(3)})`,
      ];
    }),
    tableOf('Milliseconds to build, to add and to remove a node; kilobytes of arrays', ['ms', 'kB'], (each) => [
      [each.figures.buildMs, each.figures.addMs, each.figures.removeMs].map((ms) => ms.toFixed(2)).join(' / '),
      count(Math.round(arrayBytes(each.setting, 1) / 1_000)),
    ]),
  ];
}

interface Case {
  readonly setting: Setting;
  readonly figures: Figures;
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
