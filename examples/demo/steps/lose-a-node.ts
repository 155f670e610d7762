/** Step: a node goes while keys are read, and comes back. The caller must see nothing of it. */

import { count, counted } from '../../../src/cli/draw/numbers.ts';
import { errorCount, hitRatio, type ReadPass, readAll, summaryOf } from './read-all.ts';
import type { TourContext } from './tour-context.ts';
import { waitForHealth } from './wait-for-health.ts';

/** A probe is sent every 500 ms; a client that reconnects may wait some seconds longer. */
const healthTimeoutMs = 10_000;

export async function loseANodeStep(context: TourContext): Promise<void> {
  const { cache, nodes, report } = context;
  const victim = 'node-2';
  report.step(`${victim} goes, and comes back`);
  const stopTelling = tellHealth(context);

  const during = await readAll(context, 'reading', async () => {
    await nodes.stopNode(victim);
    report.line(`  ${victim} ${nodes.stopping}.`);
  });
  report.line(`  ${summaryOf(during)}`);
  tellDetours(context, during);
  const isDown = await waitForHealth(cache, report.clock, victim, 'down', healthTimeoutMs);

  const without = await readAll(context, 'reading');
  report.line(`  Without ${victim}: ${summaryOf(without)}`);

  await nodes.startNode(victim);
  report.line(`  ${victim} ${nodes.starting}.`);
  const isUp = await waitForHealth(cache, report.clock, victim, 'up', healthTimeoutMs);
  const after = await readAll(context, 'reading');
  report.line(`  With ${victim} again: ${summaryOf(after)}`);
  tellDetours(context, after);
  stopTelling();
  if (nodes.losesKeys) {
    const held = count(await nodes.countKeys(victim));
    const which = 'those it is the primary of, put back by the reads so far';
    report.lines(`${victim} holds ${held} keys again: ${which}. Second copies come back with the keys' next writes.`);
  }

  report.line();
  const passes = [during, without, after];
  report.check(
    `reads failed over with 0 errors (${count(passes.reduce((sum, { asked }) => sum + asked, 0))} reads)`,
    passes.every((pass) => errorCount(pass) === 0),
  );
  report.check('the hit ratio stayed at 100 %, and every value was right', passes.every(isPerfect));
  report.check(`the loss of ${victim} and its return were noticed`, isDown && isUp);
}

export const isPerfect = (pass: ReadPass) => hitRatio(pass) === 1 && pass.wrong === 0;

function tellDetours({ report }: TourContext, { failovers, replicaHits }: ReadPass): void {
  if (failovers > 0) {
    report.line(`  ${counted(failovers, 'read')} in flight to the lost node failed over to a replica.`);
  }
  if (replicaHits > 0) report.line(`  ${counted(replicaHits, 'key')} missed at the node came from a replica.`);
}

/** Shows what the cache says of its nodes, when it says it. @returns Ends it. */
function tellHealth({ cache, report }: TourContext): () => void {
  const startMs = report.clock.nowMs();
  const tell = (name: string) => {
    return ({ node }: { node: string }) => {
      const at = `${((report.clock.nowMs() - startMs) / 1_000).toFixed(2)} s`;
      report.line(`  ${report.painter.dim(at.padStart(7))}  event ${name}: ${node}`);
    };
  };
  const listeners = (['nodeSuspect', 'nodeDown', 'nodeUp'] as const).map((name) => [name, tell(name)] as const);
  for (const [name, listener] of listeners) cache.on(name, listener);
  return () => {
    for (const [name, listener] of listeners) cache.off(name, listener);
  };
}
