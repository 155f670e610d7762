/** twemproxy (`nutcracker`) before servers, with its own consistent hashing; left out where it is not installed. */

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from '../../test/support/eventually.ts';
import { proxyOptions } from './contenders/ioredis.ts';
import { pin } from './cores.ts';

export interface Nutcracker {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** As for the servers: our end, however it comes, closes the pipe, and the shell ends the proxy. */
const guard = `
trap '' INT TERM HUP
directory=$1; shift
"$@" >/dev/null 2>&1 & proxy=$!
echo $proxy
cat >/dev/null
kill -KILL $proxy 2>/dev/null
rm -rf "$directory"
`;

/** Debian has it in /usr/sbin, which is not on everybody's PATH. */
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** @returns Undefined if there is no nutcracker. */
export async function startProxy(ports: readonly number[], core: number | undefined): Promise<Nutcracker | undefined> {
  if (!(await isInstalled())) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'shardring-nutcracker-'));
  const [port, statsPort] = [await freePort(), await freePort()];
  const configuration = join(directory, 'nutcracker.yml');
  writeFileSync(configuration, configurationOf(port, ports));
  const command = ['nutcracker', '-c', configuration, '-s', `${statsPort}`, '-a', '127.0.0.1'];
  const shell = spawn('sh', ['-c', guard, 'sh', directory, ...command], {
    env: { ...process.env, PATH: path },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()));
  const pid = await new Promise<number>((resolve) =>
    shell.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
  );
  await answers(port);
  await pin(pid, core);
  const stop = () => {
    shell.stdin.end();
    return ended;
  };
  return { port, pid, stop };
}

function isInstalled(): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = spawn('nutcracker', ['--version'], { env: { ...process.env, PATH: path }, stdio: 'ignore' });
    probe.once('error', () => resolve(false));
    probe.once('close', () => resolve(true));
  });
}

function configurationOf(port: number, servers: readonly number[]): string {
  const lines = servers.map((server, index) => `   - 127.0.0.1:${server}:1 node-${index}`);
  return `shards:
  listen: 127.0.0.1:${port}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: false
  servers:
${lines.join('\n')}
`;
}

async function answers(port: number): Promise<void> {
  await eventually(async () => {
    const client = new Redis({
      ...proxyOptions,
      port,
      host: '127.0.0.1',
      lazyConnect: true,
      retryStrategy: () => null,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.get('any');
      return true;
    } finally {
      client.disconnect();
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
