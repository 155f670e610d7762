/** Makes `vectors.json` with the npm package `hashring`. See `README.md`. */

import { createRequire } from 'node:module';
import { type GoldenNode, fractionalWeights, oddWeights, onDefaultPort, onOtherPorts, starvingWeights, unevenSum } from '../node-lists.ts';
import { encodeOwners, goldenKeys, type PointRingVector, writeVectors } from '../point-ring-vectors.ts';

interface Peer {
  get(key: string): string | undefined;
  range(key: string, size: number): string[];
  add(servers: unknown): void;
}

const require = createRequire(import.meta.url);
const Peer = require('hashring') as new (servers: unknown, algorithm?: string, options?: unknown) => Peer;
const { version } = require('hashring/package.json') as { version: string };

const keys = goldenKeys();

/**
 * @param options    As `npmHashring` has them.
 * @param withThree  Whether to note what `range(key, 3)` returns as well.
 */
function ask(name: string, nodes: readonly GoldenNode[], options: Record<string, unknown> = {}, withThree = false): PointRingVector {
  const counts = (options.nodeVnodes ?? {}) as Record<string, number>;
  const servers = Object.fromEntries(
    nodes.map(({ id, weight = 1 }) => [id, counts[id] === undefined ? weight : { weight, vnodes: counts[id] }]),
  );
  const peer = new Peer(servers, options.algorithm as string | undefined, {
    ...(options.vnodes === undefined ? {} : { 'vnode count': options.vnodes }),
    ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
    ...(options.defaultPort === undefined ? {} : { 'default port': options.defaultPort }),
    'max cache size': 1,
  });
  const ids = nodes.map(({ id }) => id);
  const owners = encodeOwners(keys.map((key) => ids.indexOf(peer.get(key)!)));
  const firstThree =
    withThree ? encodeOwners(keys.flatMap((key) => peer.range(key, 3).map((id) => ids.indexOf(id)))) : undefined;
  return { name, nodes, options, owners, ...(firstThree === undefined ? {} : { firstThree }) };
}

const nodeVnodes = { '10.0.1.2:11211': 7, '10.0.1.5:11211': 200, '10.0.1.7:11211': 1 };
const counts = [1, 3, 10, 40];
writeVectors('hashring', {
  program: `hashring ${version} of npm`,
  vectors: [
    ...counts.map((count) => ask(`${count} equal nodes`, onOtherPorts(count))),
    ...counts.map((count) => ask(`${count} odd weights`, oddWeights(onDefaultPort(count)))),
    ...counts.map((count) => ask(`${count} fractional weights`, fractionalWeights(onOtherPorts(count)))),
    // 1/49 * 40 * 49 is below 40 in doubles, so that every node has 39 times 4 points.
    ask('49 equal nodes', onOtherPorts(49)),
    ask('10 equal nodes and range', onDefaultPort(10), {}, true),
    ask('10 fractional weights and range', fractionalWeights(onDefaultPort(10)), {}, true),
    ask('10 names', Array.from({ length: 10 }, (_, index) => ({ id: `shard-${index}` }))),
    ask('the other order', fractionalWeights(onOtherPorts(10)).reverse()),
    ask('weights added in one order', unevenSum),
    ask('weights added in the other order', [...unevenSum].reverse()),
    ask('some nodes without points', starvingWeights(onDefaultPort(10))),
    ask('vnode count 100', oddWeights(onDefaultPort(10)), { vnodes: 100 }),
    ask('vnode count 1', onDefaultPort(10), { vnodes: 1 }),
    ask('vnodes of some nodes', oddWeights(onDefaultPort(10)), { nodeVnodes }),
    ask("as python's hash_ring", onDefaultPort(10), { replicas: 3 }),
    ask('replicas 1', onDefaultPort(10), { replicas: 1 }),
    ask('default port', onDefaultPort(10), { defaultPort: 11211 }),
    ask('default port of some', [...onDefaultPort(5), ...onOtherPorts(5)], { defaultPort: 11313 }),
    ask('sha1', fractionalWeights(onOtherPorts(10)), { algorithm: 'sha1' }),
    ask('sha256', onOtherPorts(10), { algorithm: 'sha256', replicas: 8 }),
  ],
});
