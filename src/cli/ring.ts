/** `shardring ring`: a ring as a picture, as an SVG or as JSON. */

import { colourDepthOf } from './colour-depth.ts';
import { type RingModel, ringModel } from './draw/ring-model.ts';
import { ringSvg } from './draw/svg.ts';
import { drawRing } from './draw/terminal.ts';
import { visible } from './draw/visible-text.ts';
import type { Command, Host } from './host.ts';
import { toJson } from './json.ts';
import { CommandOptions, nodesHelp, readRing, ringOptionHelp, ringOptionKinds } from './options.ts';
import { UsageError } from './usage-error.ts';

/** Columns to draw in where the output is no terminal. */
export const defaultColumns = 110;

const help = `\
Usage: shardring ring --nodes NODES [options]

Draws the hash ring of the nodes: outside the ring itself, inside the share of the
keys that each node has, beside it the shares in numbers.

${nodesHelp}

Options:
  --nodes NODES          the nodes
${ringOptionHelp}
  --svg FILE             also write the ring as an SVG
  --json                 print shares and balance as JSON instead of the picture
  --no-color             letters instead of colours (also: NO_COLOR, or no terminal)
`;

async function run(args: readonly string[], host: Host): Promise<string> {
  const options = new CommandOptions(args, {
    nodes: 'value',
    ...ringOptionKinds,
    svg: 'value',
    json: 'flag',
    'no-color': 'flag',
  });
  if (options.positionals.length > 0) throw new UsageError('expected only options; nodes follow --nodes');
  const model = ringModel(await readRing(options, 'nodes', host));
  const svgFile = options.text('svg');
  if (svgFile !== undefined) await host.writeText(svgFile, ringSvg(model));
  if (options.flag('json')) return toJson(figuresOf(model));
  const colourDepth = colourDepthOf(host, options.flag('no-color'));
  const picture = drawRing(model, { colourDepth, width: host.columns ?? defaultColumns });
  return svgFile === undefined ? picture : `${picture}Wrote ${visible(svgFile)}.\n`;
}

/** The model without its table and arcs, which follow from the rest. */
function figuresOf({ nodes, virtualNodes, slots, hashSeed, checksum, balance }: RingModel) {
  return { nodes, virtualNodes, slots, hashSeed, checksum, balance };
}

export const ringCommand: Command = { name: 'ring', summary: 'draw a ring and the shares of its nodes', help, run };
