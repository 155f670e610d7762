/** `shardring explain`: why a key is where it is. */

import { explainPlacement, type KeyPlacement } from '../placement/explain.ts';
import { count, percent } from './draw/numbers.ts';
import { type Column, tableLines } from './draw/table.ts';
import { fit, visible } from './draw/visible-text.ts';
import type { Command, Host } from './host.ts';
import { toJson } from './json.ts';
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
Usage: shardring explain KEY --nodes NODES [options]

Says where a key lives and why: the part of it that is hashed, its position and slot,
and the nodes in order. Asks no server. A KEY that begins with - comes after --.

${nodesHelp}

Options:
  --nodes NODES          the nodes
  --replication-factor N copies of each key (default 1)
${ringOptionHelp}
  --json                 print the same as JSON
`;

async function run(args: readonly string[], host: Host): Promise<string> {
  const options = new CommandOptions(args, {
    nodes: 'value',
    'replication-factor': 'value',
    ...ringOptionKinds,
    json: 'flag',
  });
  const [key, ...others] = options.positionals;
  if (key === undefined || others.length > 0) {
    throw new UsageError(`expected one KEY, got ${options.positionals.length} (quote a key that has blanks)`);
  }
  const ring = await readRing(options, 'nodes', host);
  const placement = explainPlacement(ring, key, readReplicationFactor(options));
  return options.flag('json') ? toJson({ key, ...placement }) : draw(key, placement, ring.slots);
}

function draw(key: string, placement: KeyPlacement, slots: number): string {
  const { routingKey, hash, position = 0, slot = 0, nodes } = placement;
  const rows = [
    ['key', visible(key)],
    ['routing key', routingKey === key ? 'the whole key' : visible(routingKey)],
    ['hash', `0x${hash} (XXH32)`],
    ['position', `${count(position)} of ${count(2 ** 32)}, ${percent(position / 2 ** 32)} of the way round`],
    ['slot', `${count(slot)} of ${count(slots)}`],
  ];
  const pairs: Column[] = [
    { title: '', align: 'left' },
    { title: '', align: 'left' },
  ];
  const zoned = nodes.some(({ zone }) => zone !== undefined);
  const columns: Column[] = [
    { title: 'order', align: 'right' },
    { title: 'node', align: 'left' },
    ...(zoned ? [{ title: 'zone', align: 'left' } as const] : []),
    { title: 'role', align: 'left' },
  ];
  const nodeRows = nodes.map(({ id, role, zone }, index) => [
    String(index + 1),
    fit(visible(id), 48),
    ...(zoned ? [fit(visible(zone ?? '-'), 24)] : []),
    role,
  ]);
  return [...tableLines(pairs, rows).slice(1), '', ...tableLines(columns, nodeRows), ''].join('\n');
}

export const explainCommand: Command = { name: 'explain', summary: 'say where a key lives and why', help, run };
