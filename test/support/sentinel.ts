/**
 * A group that Redis Sentinel manages, for tests: a master, its replicas, and real sentinels that watch them.
 *
 * Sentinels rewrite their configuration as they learn, so each has a directory of its own, which goes with it.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { freePort, type RedisServer, startRedis } from './redis.ts';

export interface SentinelGroupOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** Sentinels that must find the master down. Default: most of them. */
  readonly quorum?: number;
  /** Without an answer for this long, a server is down. Default 500. */
  readonly downAfterMs?: number;
  /** Default 'shard-1'. */
  readonly name?: string;
  /** Further arguments of every server: `['--min-replicas-to-write', '1']`. */
  readonly args?: readonly string[];
  /** The servers' user and password, for replication and sentinels too. */
  readonly password?: string;
  /** `requirepass` of the sentinels. */
  readonly sentinelPassword?: string;
  /** Servers and sentinels speak TLS only. Paths of PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export interface SentinelGroup extends AsyncDisposable {
  readonly name: string;
  /** The first was the master at the start. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** For the `sentinels` of a client. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The port of the master, as the sentinel of this index has it now. */
  masterPort(sentinel?: number): Promise<number>;
  /** The server that the sentinels name as master now. */
  master(): Promise<RedisServer>;
  /** Resolves with the new master once the sentinel of this index names another one than `old`. */
  switchedFrom(old: RedisServer, sentinel?: number): Promise<RedisServer>;
  /** A client of one server of the group or of one of its sentinels. It ends with the group. */
  clientOf(server: RedisServer): Redis;
  stop(): Promise<void>;
}

/** A failover takes a second or two; a busy machine may take its time. */
const switchTimeoutMs = 60_000;

export async function startSentinelGroup(options: SentinelGroupOptions = {}): Promise<SentinelGroup> {
  const { replicas = 1, sentinels = 3, name = 'shard-1' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'shardring-sentinels-'));
  const servers: RedisServer[] = [];
  const watchers: RedisServer[] = [];
  const clients = new Map<RedisServer, Redis>();

  const clientOf = (server: RedisServer) => {
    const isSentinel = watchers.includes(server);
    let client = clients.get(server);
    if (client === undefined) {
      const password = isSentinel ? options.sentinelPassword : options.password;
      client = new Redis({
        port: server.port,
        host: '127.0.0.1',
        retryStrategy: () => 50,
        maxRetriesPerRequest: null,
        disableClientInfo: true,
        protocol: 2,
        ...(password === undefined ? {} : { password }),
        ...(options.tls === undefined ? {} : { tls: { rejectUnauthorized: false } }),
      });
      client.on('error', () => undefined);
      clients.set(server, client);
    }
    return client;
  };
  const masterPort = async (sentinel = 0) => {
    const reply = await clientOf(watchers[sentinel]!).call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
    return Number((reply as string[])[1]);
  };
  const serverAt = (port: number) => servers.find((server) => server.port === port)!;
  const stop = async () => {
    for (const client of clients.values()) client.disconnect();
    await Promise.all([...servers, ...watchers].map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    servers.push(await startServer(options, undefined));
    for (let count = 0; count < replicas; count++) servers.push(await startServer(options, servers[0]!.port));
    await eventually(async () =>
      (await clientOf(servers[0]!).info('replication')).includes(`connected_slaves:${replicas}`),
    );
    for (let index = 0; index < sentinels; index++) {
      watchers.push(await startSentinel(options, join(directory, `${index}`), servers[0]!.port));
    }
    await eventually(() => allKnowAll(watchers.map(clientOf), name, replicas), switchTimeoutMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    servers,
    sentinels: watchers,
    addresses: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
    masterPort,
    master: async () => serverAt(await masterPort()),
    switchedFrom: (old, sentinel = 0) =>
      eventually(async () => {
        const port = await masterPort(sentinel);
        return port === old.port ? undefined : serverAt(port);
      }, switchTimeoutMs),
    clientOf,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function startServer({ args = [], password, tls }: SentinelGroupOptions, masterPort: number | undefined) {
  return startRedis({
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    args: [
      ...(masterPort === undefined ? [] : ['--replicaof', `127.0.0.1 ${masterPort}`]),
      ...(password === undefined ? [] : ['--masterauth', password]),
      ...(tls === undefined ? [] : ['--tls-replication', 'yes']),
      // The first copy goes out at once, and a replica that comes back does not wait for others.
      ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
      ...args,
    ],
  });
}

async function startSentinel(
  options: SentinelGroupOptions,
  directory: string,
  masterPort: number,
): Promise<RedisServer> {
  const { sentinels = 3, quorum = Math.floor(sentinels / 2) + 1, name = 'shard-1', downAfterMs = 500 } = options;
  const { password, sentinelPassword, tls } = options;
  mkdirSync(directory);
  const file = join(directory, 'sentinel.conf');
  const port = await freePort();
  const lines = [
    ...['bind 127.0.0.1', `dir ${directory}`, 'daemonize no'],
    ...(tls === undefined
      ? [`port ${port}`]
      : ['port 0', `tls-port ${port}`, `tls-cert-file ${tls.certFile}`, `tls-key-file ${tls.keyFile}`]),
    ...(tls === undefined ? [] : [`tls-ca-cert-file ${tls.certFile}`, 'tls-auth-clients no', 'tls-replication yes']),
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
    ...(sentinelPassword === undefined
      ? []
      : [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return startRedis({ port, sentinelConfig: file, ...(tls === undefined ? {} : { tls }) });
}

/** Only then can they agree on a switch. */
async function allKnowAll(sentinels: readonly Redis[], name: string, replicas: number): Promise<boolean> {
  const answers = await Promise.all(
    sentinels.map(async (sentinel) => {
      const others = (await sentinel.call('SENTINEL', 'SENTINELS', name)) as unknown[];
      const known = (await sentinel.call('SENTINEL', 'REPLICAS', name)) as string[][];
      const isUp = (fields: string[]) => fields.join(' ').includes('master-link-status ok');
      return others.length === sentinels.length - 1 && known.length === replicas && known.every(isUp);
    }),
  );
  return answers.every(Boolean);
}
