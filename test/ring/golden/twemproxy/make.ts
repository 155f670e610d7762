/**
 * Makes `vectors.json` with the installed `nutcracker`. See `README.md`.
 *
 * Runs one nutcracker with a pool for each configuration. Its servers are sockets of this program that answer every
 * command with their own index, so that a GET sent through a pool tells which server got the key.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GoldenNode, oddWeights, starvingWeights } from '../node-lists.ts';
import { encodeOwners, goldenKeys, type PointRingVector, writeVectors } from '../point-ring-vectors.ts';

interface Pool {
  readonly name: string;
  readonly nodes: readonly GoldenNode[];
  readonly options: { readonly hash?: string; readonly hashTag?: string; readonly label?: 'name' };
}

/** Loopback addresses, each of which listens on the default port and on one other. */
const hosts = Array.from({ length: 40 }, (_, index) => `127.0.9.${index + 1}`);
const otherPort = (index: number) => 31_311 + (index % 7);
const onDefaultPort = (count: number): GoldenNode[] => hosts.slice(0, count).map((host) => ({ id: `${host}:11211` }));
const onOtherPorts = (count: number): GoldenNode[] =>
  hosts.slice(0, count).map((host, index) => ({ id: `${host}:${otherPort(index)}` }));
const named = (count: number): GoldenNode[] => hosts.slice(0, count).map((_, index) => ({ id: `shard-${index}` }));

const hashes = 'one_at_a_time md5 crc16 crc32 crc32a fnv1_64 fnv1a_64 fnv1_32 fnv1a_32 hsieh murmur jenkins'.split(' ');
const counts = [1, 3, 10, 40];
const pools: Pool[] = [
  ...counts.map((count) => ({ name: `${count} nodes on 11211`, nodes: onDefaultPort(count), options: {} })),
  ...counts.map((count) => ({ name: `${count} odd weights`, nodes: oddWeights(onOtherPorts(count)), options: {} })),
  ...counts.map((count) => ({ name: `${count} names`, nodes: named(count), options: { label: 'name' as const } })),
  // 39 labels each and not 40, since 1/25 is rounded down to a float.
  { name: '25 nodes', nodes: onOtherPorts(25), options: {} },
  { name: 'some nodes without points', nodes: starvingWeights(onDefaultPort(10)), options: {} },
  {
    name: 'names that end in the default port',
    nodes: hosts.slice(0, 10).map((_, index) => ({ id: `shard-${index}:11211` })),
    options: { label: 'name' },
  },
  { name: 'hash tag {}', nodes: onOtherPorts(10), options: { hashTag: '{}' } },
  { name: 'hash tag $$', nodes: onOtherPorts(10), options: { hashTag: '$$', hash: 'md5' } },
  ...hashes.map((hash) => ({ name: hash, nodes: onOtherPorts(10), options: { hash } })),
  ...hashes.map((hash) => ({ name: `${hash}, odd weights`, nodes: oddWeights(onDefaultPort(10)), options: { hash } })),
];

const firstListenPort = 30_100;

/** Cuts the complete commands off the front of a stream of RESP arrays. */
function takeCommands(buffer: Buffer): { count: number; rest: Buffer } {
  let count = 0;
  let offset = 0;
  for (;;) {
    let at = offset;
    const line = (): string | undefined => {
      const end = buffer.indexOf('\r\n', at);
      if (end === -1) return undefined;
      const text = buffer.toString('latin1', at, end);
      at = end + 2;
      return text;
    };
    const head = line();
    if (head === undefined) return { count, rest: buffer.subarray(offset) };
    let complete = true;
    for (let left = Number(head.slice(1)); left > 0 && complete; left--) {
      const size = line();
      if (size === undefined) complete = false;
      else at += Number(size.slice(1)) + 2;
    }
    if (!complete || at > buffer.length) return { count, rest: buffer.subarray(offset) };
    offset = at;
    count++;
  }
}

/** A server that answers every command with `index`. */
function listen(host: string, port: number, index: number): Promise<Server> {
  const server = createServer((socket) => {
    let pending: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const { count, rest } = takeCommands(Buffer.concat([pending, data]));
      pending = rest;
      const text = `${index}`;
      socket.write(`$${text.length}\r\n${text}\r\n`.repeat(count));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function configure(): string {
  return pools
    .map(({ nodes, options }, index) => {
      const servers = nodes.map(({ id, weight = 1 }, server) =>
        options.label === 'name'
          ? `   - ${hosts[server]}:${otherPort(server)}:${weight} ${id}\n`
          : `   - ${id}:${weight}\n`,
      );
      const hash = options.hash === undefined ? '' : `  hash: ${options.hash}\n`;
      const tag = options.hashTag === undefined ? '' : `  hash_tag: "${options.hashTag}"\n`;
      const head = `pool${index}:\n  listen: 127.0.0.1:${firstListenPort + index}\n  distribution: ketama\n  redis: true\n`;
      return `${head}${hash}${tag}  servers:\n${servers.join('')}`;
    })
    .join('\n');
}

/** Sends a GET for each key and returns the indexes that come back, one for each. */
function ask(port: number, keys: readonly string[]): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${text.length} bytes`)));
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (text.includes('-')) reject(new Error(`an error came: ${text.slice(text.indexOf('-'), 200)}`));
      const answers = [...text.matchAll(/\$\d+\r\n(\d+)\r\n/g)].map(([, index]) => Number(index));
      if (answers.length === keys.length) {
        resolve(answers);
        socket.destroy();
      }
    });
    for (const key of keys) socket.write(`*2\r\n$3\r\nGET\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`);
  });
}

async function untilItListens(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const reached = await ask(firstListenPort + pools.length - 1, ['ready']).catch(() => undefined);
    if (reached !== undefined) return;
    await sleep(50);
  }
  throw new Error('nutcracker does not listen');
}

const scratch = mkdtempSync(join(tmpdir(), 'twemproxy-'));
const servers = await Promise.all(
  hosts.flatMap((host, index) => [listen(host, 11_211, index), listen(host, otherPort(index), index)]),
);
const configFile = join(scratch, 'nutcracker.yml');
writeFileSync(configFile, configure());
const proxy: ChildProcess = spawn(
  'nutcracker',
  ['-c', configFile, '-s', '30099', '-a', '127.0.0.1', '-o', join(scratch, 'log'), '-p', join(scratch, 'pid')],
  { stdio: 'inherit' },
);
try {
  await untilItListens();
  const keys = goldenKeys();
  const vectors: PointRingVector[] = [];
  for (const [index, pool] of pools.entries()) {
    vectors.push({ ...pool, owners: encodeOwners(await ask(firstListenPort + index, keys)) });
  }
  const version = execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'nutcracker'], { encoding: 'utf8' });
  writeVectors('twemproxy', { program: `nutcracker ${version} of Debian, x86-64`, vectors });
} finally {
  proxy.kill();
  for (const server of servers) server.close();
  rmSync(scratch, { recursive: true });
}
process.exit();
