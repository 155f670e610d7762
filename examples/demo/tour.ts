/** The tour: a cache of a few nodes, from its ring to the loss of one node and the joining of another. */

import { ShardedCache } from 'shardring';
import type { DemoNodes } from './nodes/demo-nodes.ts';
import type { DemoOptions } from './options.ts';
import type { Report } from './output/report.ts';
import { addANodeStep } from './steps/add-a-node.ts';
import { drawStep } from './steps/draw.ts';
import { loadStep } from './steps/load.ts';
import { loseANodeStep } from './steps/lose-a-node.ts';
import type { TourContext } from './steps/tour-context.ts';

/** Milliseconds for a call on 1,000 keys, on a machine that may be busy with other things. */
const timeoutMs = 5_000;

export async function runTour(options: DemoOptions, nodes: DemoNodes, report: Report): Promise<void> {
  report.title(`shardring: a tour on ${nodes.description}`, nodes.note);
  const { replicationFactor } = options;
  await using cache = new ShardedCache<string>({
    nodes: nodes.initial,
    replicationFactor,
    readRepair: true,
    timeoutMs,
  });
  const context: TourContext = { cache, nodes, report, keyCount: options.keys };
  try {
    for (const step of [drawStep, loadStep, loseANodeStep, addANodeStep]) await step(context);
  } finally {
    await nodes.cleanUp();
  }
}
