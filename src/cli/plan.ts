/** `shardring plan`: what a change of nodes moves, before it is made. */

import { planRebalance } from '../rebalance/plan.ts';
import { drawPlan } from './draw/plan-view.ts';
import { ringModel } from './draw/ring-model.ts';
import { ringSvg } from './draw/svg.ts';
import { visible } from './draw/visible-text.ts';
import type { Command, Host } from './host.ts';
import { toJson } from './json.ts';
import { parseKeySample } from './key-sample.ts';
import {
  CommandOptions,
  nodesHelp,
  readReplicationFactor,
  readRing,
  ringOptionHelp,
  ringOptionKinds,
} from './options.ts';
import { UsageError } from './usage-error.ts';

const help = `\
Usage: shardring plan --from NODES --to NODES [options]

Says what moves when the nodes change: the share of the keys, against the least that
any method would have to move, from which node to which, and what each node gains.
Touches no server.

${nodesHelp}

Options:
  --from NODES           the nodes before
  --to NODES             the nodes after
  --replication-factor N copies of each key (default 1)
${ringOptionHelp}
  --keys FILE            also count real keys: one a line, each alone or followed by
                         a tab and its size in bytes; - is the standard input
  --svg FILE             also write the ring after the change as an SVG, with a band
                         around it where keys move
  --json                 print the plan as JSON, with the slots of each move
`;

async function run(args: readonly string[], host: Host): Promise<string> {
  const options = new CommandOptions(args, {
    from: 'value',
    to: 'value',
    'replication-factor': 'value',
    ...ringOptionKinds,
    keys: 'value',
    svg: 'value',
    json: 'flag',
  });
  if (options.positionals.length > 0) throw new UsageError('expected only options; nodes follow --from and --to');
  const before = await readRing(options, 'from', host);
  const after = await readRing(options, 'to', host);
  const keyFile = options.text('keys');
  const plan = planRebalance(before, after, {
    replicationFactor: readReplicationFactor(options),
    keySample: keyFile === undefined ? undefined : parseKeySample(await host.readText(keyFile)),
  });
  const svgFile = options.text('svg');
  if (svgFile !== undefined) await host.writeText(svgFile, ringSvg(ringModel(after, plan)));
  if (options.flag('json')) return toJson(plan);
  return svgFile === undefined ? drawPlan(plan) : `${drawPlan(plan)}\nWrote ${visible(svgFile)}.\n`;
}

export const planCommand: Command = { name: 'plan', summary: 'say what a change of nodes would move', help, run };
