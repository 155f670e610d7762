/** Makes `vectors.json` with the installed libmemcached. See `README.md`. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GoldenNode, oddWeights, onDefaultPort, onOtherPorts, starvingWeights } from '../node-lists.ts';
import { encodeOwners, goldenKeys, type PointRingVector, writeVectors } from '../point-ring-vectors.ts';

/** MEMCACHED_HASH_* by our names. */
const hashNumbers: Readonly<Record<string, number>> = {
  one_at_a_time: 0,
  md5: 1,
  crc32: 2,
  fnv1_64: 3,
  fnv1a_64: 4,
  fnv1_32: 5,
  fnv1a_32: 6,
  murmur: 8,
  jenkins: 9,
};

const scratch = mkdtempSync(join(tmpdir(), 'libmemcached-'));
const program = join(scratch, 'make');
execFileSync('gcc', ['-O1', '-o', program, fileURLToPath(new URL('make.c', import.meta.url)), '-lmemcached']);

const input = goldenKeys()
  .map((key) => `${Buffer.from(key, 'utf8').toString('hex')}\n`)
  .join('');

function ask(name: string, nodes: readonly GoldenNode[], options: { weighted: boolean; hash?: string }): PointRingVector {
  const servers = nodes.flatMap(({ id, weight = 1 }) => {
    const colon = id.lastIndexOf(':');
    return [id.slice(0, colon), id.slice(colon + 1), `${weight}`];
  });
  const hash = options.hash === undefined ? -1 : hashNumbers[options.hash]!;
  const mode = options.weighted ? 'weighted' : 'plain';
  const output = execFileSync(program, [mode, `${hash}`, ...servers], { input, encoding: 'utf8' });
  return { name, nodes, options, owners: encodeOwners(output.trim().split('\n').map(Number)) };
}

const counts = [1, 3, 10, 40];
const vectors = [
  ...counts.map((count) => ask(`plain, ${count} nodes on 11211`, onDefaultPort(count), { weighted: false })),
  ...counts.map((count) => ask(`plain, ${count} nodes on other ports`, onOtherPorts(count), { weighted: false })),
  ...counts.map((count) => ask(`weighted, ${count} equal nodes on 11211`, onDefaultPort(count), { weighted: true })),
  ...counts.map((count) => ask(`weighted, ${count} odd weights`, oddWeights(onOtherPorts(count)), { weighted: true })),
  ask('weighted, some nodes without points', starvingWeights(onDefaultPort(10)), { weighted: true }),
  // 25 and 61 equal nodes have 39 labels each and not 40, since 1/25 and 1/61 are rounded down to a float.
  ...[25, 61].map((count) => ask(`weighted, ${count} equal nodes`, onOtherPorts(count), { weighted: true })),
  ...Object.keys(hashNumbers).flatMap((hash) => [
    ask(`plain, ${hash}`, onOtherPorts(10), { weighted: false, hash }),
    ask(`weighted, ${hash}`, oddWeights(onDefaultPort(10)), { weighted: true, hash }),
  ]),
  // Positions of 15 bits: many points share one, which shows the order of ties.
  ask('plain, crc32, ties', [...onOtherPorts(40)].reverse(), { weighted: false, hash: 'crc32' }),
];
writeVectors('libmemcached', { program: `libmemcached ${version()}`, vectors });
rmSync(scratch, { recursive: true });

function version(): string {
  return execFileSync('pkg-config', ['--modversion', 'libmemcached'], { encoding: 'utf8' }).trim();
}
