/** The servers that the contenders stand on: four that know nothing of each other, and what others need instead. */

import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { type RedisServer, type RedisServerOptions, startRedis } from '../../test/support/redis.ts';
import { formCluster } from './cluster.ts';
import type { Family } from './contenders/index.ts';
import { pin } from './cores.ts';
import type { Ports } from './store.ts';
import { startProxy } from './twemproxy.ts';

export const serverCount = 4;

export interface Servers {
  readonly ports: Ports;
  /** Why a family is missing. */
  readonly missing: ReadonlyMap<Family, string>;
  /** CPU seconds that a family's processes have used so far, all together. */
  cpuSeconds(family: Family): Promise<number>;
  stop(): Promise<void>;
}

/** @param core  Where they run; undefined for anywhere. */
export async function startServers(core: number | undefined): Promise<Servers> {
  const missing = new Map<Family, string>();
  const plain = await startFour(core);
  const ports = plain.map(({ port }) => port);
  let cluster: RedisServer[] = [];
  try {
    cluster = await startCluster(core);
  } catch (error) {
    missing.set('cluster', `no cluster: ${error instanceof Error ? error.message : error}`);
  }
  const proxy = await startProxy(ports, core);
  if (proxy === undefined) missing.set('proxy', 'nutcracker is not installed');

  const [plainControls, clusterControls] = [plain.map(controlOf), cluster.map(controlOf)];
  const cpuOfAll = async (controls: readonly Redis[]) => sum(await Promise.all(controls.map(serverCpuSeconds)));
  return {
    ports: {
      plain: ports,
      cluster: missing.has('cluster') ? undefined : cluster.map(({ port }) => port),
      proxy: proxy?.port,
    },
    missing,
    async cpuSeconds(family) {
      if (family === 'cluster') return cpuOfAll(clusterControls);
      return (await cpuOfAll(plainControls)) + (family === 'proxy' && proxy ? processCpuSeconds(proxy.pid) : 0);
    },
    async stop() {
      for (const control of [...plainControls, ...clusterControls]) control.disconnect();
      await proxy?.stop();
      await Promise.all([...plain, ...cluster].map((server) => server.stop()));
    },
  };
}

export async function startFour(core: number | undefined, options: RedisServerOptions = {}): Promise<RedisServer[]> {
  const servers = await Promise.all(Array.from({ length: serverCount }, () => startRedis(options)));
  await Promise.all(servers.map(({ pid }) => pin(pid, core)));
  return servers;
}

/** @throws {Error} The servers cannot do it. */
export async function startCluster(core: number | undefined): Promise<RedisServer[]> {
  // Full coverage is the default, and one dead master then takes the whole cluster with it.
  const args = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'];
  const servers = await startFour(core, { args });
  try {
    await formCluster(servers.map(({ port }) => port));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
  return servers;
}

const controlOf = ({ port }: RedisServer) => new Redis({ port, host: '127.0.0.1' });

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The server's own count is in microseconds; that of /proc is in hundredths of a second. */
async function serverCpuSeconds(control: Redis): Promise<number> {
  const info = await control.info('cpu');
  return sum([...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, seconds]) => Number(seconds)));
}

/** Of a process that does not tell; 0 where there is no /proc. */
function processCpuSeconds(pid: number): number {
  try {
    // After the name in parentheses come the state and 10 more fields, then user and system time in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
