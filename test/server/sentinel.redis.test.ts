import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import type { RedisServer } from '../support/redis.ts';
import { type SentinelGroup, type SentinelGroupOptions, startSentinelGroup } from '../support/sentinel.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** Of a call that says nothing else: short, so that traffic goes on soon after a server was lost. */
const timeoutMs = 300;

/** For single calls that are to succeed: a busy machine may take its time. */
const patient = { timeoutMs: 20_000 };

/** For tests in which no server is to be found down: a busy machine can leave one without a turn for half a second. */
const neverDown = { downAfterMs: 30_000 };

/** Sentinels take seconds to agree, and to turn an old master that is back into a replica. */
const longTestMs = 60_000;

const connectionName = 'under-test';

const value = Buffer.from('1');

const isValue = (read: Uint8Array | undefined) => read !== undefined && value.equals(read);

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function open(options: SentinelGroupOptions = {}): Promise<{ group: SentinelGroup; backend: RedisBackend }> {
  const group = await startSentinelGroup(options);
  opened.push(group);
  const target = { sentinels: [...group.addresses], name: group.name, connectionName };
  // Connections for one user are not closed during a test for having been unused.
  const backend = new RedisBackend(target, { timeoutMs, pool: { idleTimeoutMs: 600_000 } });
  opened.push(backend);
  return { group, backend };
}

/** Resolves once each sentinel is listened to by a backend: from then on no news is missed. */
async function watched(group: SentinelGroup): Promise<void> {
  await eventually(async () => {
    const lists = await Promise.all(group.sentinels.map((sentinel) => group.clientOf(sentinel).client('LIST')));
    return lists.every((list) => / sub=[1-9]/.test(String(list)));
  });
}

/** Sets a new key again and again, and keeps what became of each. */
function writeOnAndOn(backend: RedisBackend) {
  const acknowledged: string[] = [];
  const failed = new Map<string, { code: string }>();
  let isOver = false;
  const running = (async () => {
    for (let count = 0; !isOver; count++) {
      const key = `key-${count}`;
      const { error } = await outcomeOf(backend.set(key, value));
      if (error === undefined) acknowledged.push(key);
      else failed.set(key, error as { code: string });
      await pause(2);
    }
  })();
  return {
    acknowledged,
    failed,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

/** Whoever waits for what is gone waits longer: a stopped server's connections stay open for many minutes. */
const worksAgain = (backend: RedisBackend) => eventually(() => backend.set('again', value).then(() => true));

const roleOf = async (group: SentinelGroup, server: RedisServer) =>
  ((await group.clientOf(server).role()) as unknown[])[0] as string;

/** How many connections of the backend the server has. */
async function connectionsAt(group: SentinelGroup, server: RedisServer): Promise<number> {
  const list = (await group.clientOf(server).client('LIST')) as string;
  return list.split('\n').filter((line) => line.includes(` name=${connectionName} `)).length;
}

describe('a RedisBackend over a group that Sentinel manages', { timeout: longTestMs }, () => {
  it('goes on with the new master when the master is killed, and never writes to the old one that comes back', async () => {
    // Longer than a busy machine leaves a server without a turn: sentinels that find the new master down as well make the
    // old one, empty as it is, the master again, and it is then right to write there.
    const { group, backend } = await open({ downAfterMs: 2_000 });
    const old = await group.master();
    const confirmed: string[] = [];
    const traffic = writeOnAndOn(backend);
    // What the replica has confirmed must survive; of the rest asynchronous replication may lose the last.
    let copiedCount = 0;
    for (let count = 0; count < 20; count++) {
      const key = `confirmed-${count}`;
      const writtenCount = traffic.acknowledged.length;
      const copies = await backend.withConnection(async (client) => {
        await client.set(key, '1');
        return client.wait(1, 1_000);
      }, patient);
      if (copies !== 1) continue;
      confirmed.push(key);
      copiedCount = writtenCount; // The replica has what was written before, too.
    }
    await old.kill();
    // One reply may be on its way here still.
    const oldCount = traffic.acknowledged.length + 1;
    const next = await group.switchedFrom(old);
    await worksAgain(backend);
    expect(confirmed.length).toBeGreaterThan(0);
    expect(await backend.getMany(confirmed, patient)).toEqual(confirmed.map(() => value));

    const countBefore = traffic.acknowledged.length;
    await old.restart(); // As an empty master, until the sentinels have told it otherwise.
    await eventually(async () => {
      const role = await roleOf(group, old);
      const [size, named] = [await group.clientOf(old).dbsize(), await group.masterPort()];
      if (role === 'master') expect({ size, named }).toEqual({ size: 0, named: next.port });
      expect(await connectionsAt(group, old)).toBe(0);
      return role === 'slave';
    }, 30_000);
    await eventually(() => traffic.acknowledged.length > countBefore + 20);
    await traffic.stop();
    expect(await group.clientOf(old).info('errorstats')).not.toContain('READONLY');

    for (const { code } of traffic.failed.values()) {
      expect(code).toMatch(/^ERR_(NODE_UNAVAILABLE|UNKNOWN_OUTCOME|TIMEOUT)$/);
    }
    const kept = new Set((await group.clientOf(next).keys('key-*')) as string[]);
    const lost = (keys: readonly string[]) => keys.filter((key) => !kept.has(key));
    // At most what had not reached the replica before the crash, and nothing from after it.
    expect(lost(traffic.acknowledged.slice(0, copiedCount))).toEqual([]);
    expect(lost(traffic.acknowledged.slice(oldCount))).toEqual([]);
  });

  it('sends nothing more to a master that was stopped, once it goes on after the switch', async () => {
    const { group, backend } = await open();
    const old = await group.master();
    await backend.set('before', value, patient);
    const target = { sentinels: [...group.addresses], name: group.name, connectionName };
    const waiting = new RedisBackend(target, patient);
    opened.push(waiting);
    await waiting.ping();
    const traffic = writeOnAndOn(backend);
    await eventually(() => traffic.acknowledged.length > 20);
    old.pause();
    const waited = outcomeOf(waiting.get('before'));
    const next = await group.switchedFrom(old);
    // The calls under way ended by their deadlines; nothing waits for the stopped server to close its connections.
    await worksAgain(backend);
    // Where no call runs out of time, it is only the sentinels who can tell.
    expect((await waited).error).toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      cause: { message: expect.stringContaining('another master') },
    });

    const countBefore = traffic.acknowledged.length;
    old.resume(); // It takes itself for the master still.
    expect(await roleOf(group, old)).toBe('master');
    await eventually(() => traffic.acknowledged.length > countBefore + 20);
    await traffic.stop();
    expect(await connectionsAt(group, old)).toBe(0);
    if ((await roleOf(group, old)) === 'master') {
      const atOld = (await group.clientOf(old).keys('key-*')) as string[];
      const atNext = new Set((await group.clientOf(next).keys('key-*')) as string[]);
      for (const key of atOld.filter((each) => !atNext.has(each))) {
        // What was on its way when the server stopped has been executed now. Its caller was told that this may be.
        expect(traffic.failed.get(key)).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
      }
      expect(traffic.acknowledged.slice(countBefore).filter((key) => atOld.includes(key))).toEqual([]);
    }
    await eventually(async () => (await roleOf(group, old)) === 'slave');
  });

  it('follows a switch that an operator asks for, also with connections lent to one user', async () => {
    const { group, backend } = await open(neverDown);
    const old = await group.master();
    const traffic = writeOnAndOn(backend);
    const portOf = async () => {
      const [, port] = await backend.withConnection(
        (client) => client.config('GET', 'port') as Promise<string[]>,
        patient,
      );
      return Number(port);
    };
    expect(await portOf()).toBe(old.port);
    await eventually(() => traffic.acknowledged.length > 20);
    await watched(group);
    // The news that a replica is being made the master comes here when it comes to the backend.
    let newsCount = Number.POSITIVE_INFINITY;
    const listener = group.clientOf(group.sentinels[1]!).duplicate();
    opened.push({ [Symbol.asyncDispose]: async () => listener.disconnect() });
    listener.on('message', () => {
      newsCount = Math.min(newsCount, traffic.acknowledged.length);
    });
    await listener.subscribe('+failover-state-wait-promotion');
    await group.clientOf(group.sentinels[1]!).call('SENTINEL', 'FAILOVER', group.name);
    const next = await group.switchedFrom(old, 1);
    await worksAgain(backend);
    await eventually(async () => (await portOf()) === next.port);
    const countBefore = traffic.acknowledged.length;
    await eventually(() => traffic.acknowledged.length > countBefore + 20);
    await traffic.stop();
    const kept = new Set((await group.clientOf(next).keys('key-*')) as string[]);
    // The old master takes writes until the sentinels see the new one, up to a second later. After the news none are sent
    // there but what was on its way.
    expect(newsCount).toBeLessThan(countBefore);
    expect(traffic.acknowledged.slice(newsCount + 5).filter((key) => !kept.has(key))).toEqual([]);
    expect(await connectionsAt(group, old)).toBe(0);
  });

  it('leaves a server that refuses a write as a replica, and comes back only when that is a master', async () => {
    const { group, backend } = await open(neverDown);
    const master = await group.master();
    await backend.set('key', value, patient);
    await group.clientOf(master).replicaof('127.0.0.1', 1);
    await expect(backend.increment('counter', 1, patient)).rejects.toMatchObject({
      code: 'ERR_NODE_REPLY',
      kind: 'READONLY',
    });
    const refused = await eventually(async () => {
      const { error } = await outcomeOf(backend.get('key'));
      return (error as { code?: string } | undefined)?.code === 'ERR_NODE_UNAVAILABLE' ? error : undefined;
    });
    expect(refused).toMatchObject({ cause: { message: expect.stringContaining(`of the group '${group.name}'`) } });
    expect(refused).toMatchObject({ cause: { message: expect.stringContaining('says that it is a replica') } });
    await group.clientOf(master).replicaof('NO', 'ONE');
    await worksAgain(backend);
    expect(await backend.get('counter', patient)).toBeUndefined();
  });

  it('works while a sentinel is down, and follows the others while one is stopped', async () => {
    const { group, backend } = await open();
    await group.sentinels[0]!.kill();
    await backend.set('key', value, patient);
    await group.sentinels[0]!.restart();
    await eventually(async () => (await group.masterPort(0)) === group.servers[0]!.port);
    group.sentinels[0]!.pause();
    const old = group.servers[0]!;
    await old.kill();
    await group.switchedFrom(old, 1);
    await worksAgain(backend);
    group.sentinels[0]!.resume();
  });

  it('does not follow a sentinel that slept through the switch back to the old master', async () => {
    const { group, backend } = await open();
    const old = group.servers[0]!;
    await backend.set('key', value, patient);
    await group.sentinels[0]!.kill();
    await old.kill();
    const next = await group.switchedFrom(old, 1);
    await worksAgain(backend);
    // Now only the one that slept is left, and it names a server that takes itself for a master.
    await group.sentinels[1]!.kill();
    await group.sentinels[2]!.kill();
    await old.restart();
    await group.sentinels[0]!.restart();
    expect(await group.masterPort(0)).toBe(old.port);
    await group.clientOf(next).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const { error } = await eventually(async () => {
      const outcome = await outcomeOf(backend.set('other', value));
      return outcome.error === undefined ? undefined : outcome;
    });
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(NODE_UNAVAILABLE|UNKNOWN_OUTCOME)$/) });
    await expect(backend.set('other', value, patient)).rejects.toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      cause: { message: expect.stringContaining('outdated configuration') },
    });
    expect(await group.clientOf(old).dbsize()).toBe(0);
  });

  it('keeps writing to the master while all sentinels are away, and connects again when one is back', async () => {
    const { group, backend } = await open(neverDown);
    await backend.set('key', value, patient);
    for (const sentinel of group.sentinels) await sentinel.kill();
    await backend.set('key', value, patient);
    await group.clientOf(group.servers[0]!).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => {
      const { error } = await outcomeOf(backend.get('key'));
      return (error as { code?: string } | undefined)?.code === 'ERR_NODE_UNAVAILABLE';
    });
    await group.sentinels[2]!.restart();
    await worksAgain(backend);
  });

  it('learns what it missed while it was cut off from the sentinels', async () => {
    const { group } = await open(neverDown);
    const proxies = await Promise.all(group.sentinels.map((sentinel) => startTcpProxy(sentinel)));
    opened.push(...proxies);
    const sentinels = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    const target = { sentinels, name: group.name, connectionName, updateSentinels: false };
    const backend = new RedisBackend(target, { timeoutMs });
    opened.push(backend);
    await backend.set('key', value, patient);
    await watched(group);
    // Connections stay open, and nothing comes through them any more.
    for (const proxy of proxies) proxy.behaviour = 'stall';
    const old = await group.master();
    await group.clientOf(group.sentinels[0]!).call('SENTINEL', 'FAILOVER', group.name);
    await group.switchedFrom(old);
    // The old master is told to end its connections. Where the new one is, nobody tells.
    await eventually(async () => {
      const { error } = await outcomeOf(backend.set('meanwhile', value));
      return (error as { code?: string } | undefined)?.code === 'ERR_NODE_UNAVAILABLE';
    }, 30_000);
    for (const proxy of proxies) proxy.behaviour = 'forward';
    await worksAgain(backend);
    expect(await connectionsAt(group, old)).toBe(0);
  });

  it('keeps two groups of the same sentinels apart: the switch of one does not disturb the other', async () => {
    const { group, backend } = await open(neverDown);
    const other = await startSentinelGroup({ ...neverDown, sentinels: 1, quorum: 1 });
    opened.push(other);
    for (const sentinel of group.sentinels) {
      const client = group.clientOf(sentinel);
      await client.call('SENTINEL', 'MONITOR', 'other', '127.0.0.1', `${other.servers[0]!.port}`, '2');
    }
    await backend.set('key', value, patient);
    const idOf = () => backend.withConnection((client) => client.client('ID'), patient);
    const id = await idOf();
    const first = group.clientOf(group.sentinels[0]!);
    await eventually(async () => {
      const replicas = (await first.call('SENTINEL', 'REPLICAS', 'other')) as unknown[];
      const sentinels = (await first.call('SENTINEL', 'SENTINELS', 'other')) as unknown[];
      return replicas.length === 1 && sentinels.length === 2;
    });
    await eventually(() => first.call('SENTINEL', 'FAILOVER', 'other').then(() => true));
    await eventually(async () => {
      const [, port] = (await first.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'other')) as string[];
      return Number(port) === other.servers[1]!.port;
    });
    expect(await idOf()).toBe(id);
    await backend.set('key', value, patient);
  });
});

describe('a RedisBackend over a group whose replicas may be read', { timeout: longTestMs }, () => {
  async function openReading(options: SentinelGroupOptions = {}) {
    const { group } = await open(options);
    const target = { sentinels: [...group.addresses], name: group.name, connectionName, reads: 'replica' as const };
    const backend = new RedisBackend(target, { timeoutMs });
    opened.push(backend);
    return { group, backend };
  }
  const getsAt = async (group: SentinelGroup, server: RedisServer) => {
    const info = await group.clientOf(server).info('commandstats');
    return (
      Number(/cmdstat_get:calls=(\d+)/.exec(info)?.[1] ?? 0) + Number(/cmdstat_mget:calls=(\d+)/.exec(info)?.[1] ?? 0)
    );
  };

  it('reads there and writes at the master', async () => {
    const { group, backend } = await openReading(neverDown);
    const [master, replica] = group.servers as [RedisServer, RedisServer];
    await backend.set('key', value, patient);
    await eventually(async () => (await backend.get('key')) !== undefined && (await getsAt(group, replica)) > 0);
    const before = await getsAt(group, master);
    await eventually(async () => isValue(await backend.get('key')));
    expect(await backend.getMany(['key', 'none'], patient)).toEqual([value, undefined]);
    expect(await getsAt(group, master)).toBe(before);
    // What depends on one server's state, or on a write before it, stays with the master.
    expect(await backend.increment('counter', 1, patient)).toBe(1);
    expect(await backend.getWithExpiry('key', patient)).toEqual({ value, expiresAtMs: undefined });
    const keys: string[] = [];
    for await (const key of backend.scan()) keys.push(key);
    expect(keys.sort()).toEqual(['counter', 'key']);
    expect(await group.clientOf(replica).info('commandstats')).not.toMatch(/cmdstat_(scan|exec):/);
  });

  it('reads from the master at once while no replica can be reached, and from the replica again when it is back', async () => {
    const { group, backend } = await openReading();
    const replica = group.servers[1]!;
    await backend.set('key', value, patient);
    await eventually(async () => (await backend.get('key')) !== undefined && (await getsAt(group, replica)) > 0);
    await replica.kill();
    const { elapsedMs, error } = await outcomeOf(async () => {
      for (let count = 0; count < 50; count++) expect(await backend.get('key', patient)).toEqual(value);
    });
    expect(error).toBeUndefined();
    // If each of them waited for the next attempt to reach the replica: attempts soon come a second apart.
    expect(elapsedMs).toBeLessThan(20_000);
    await replica.restart();
    await eventually(
      async () => (await backend.get('key')) !== undefined && (await getsAt(group, replica)) > 0,
      20_000,
    );
  });

  it('stops reading from a replica that is stopped, when the sentinels say so', async () => {
    const { group, backend } = await openReading();
    const replica = group.servers[1]!;
    await backend.set('key', value, patient);
    await eventually(async () => (await backend.get('key')) !== undefined && (await getsAt(group, replica)) > 0);
    await watched(group);
    replica.pause();
    // One call, which goes to the replica and runs out of no time: so nothing but what the sentinels say can end its wait.
    expect(await backend.get('key', patient)).toEqual(value);
    for (let count = 0; count < 50; count++) expect(await backend.get('key', patient)).toEqual(value);
    replica.resume();
  });

  it('reads from a replica of the new master after a switch', async () => {
    const { group, backend } = await openReading({ replicas: 2 });
    const old = await group.master();
    await backend.set('key', value, patient);
    await eventually(() => backend.get('key'));
    await old.kill();
    const next = await group.switchedFrom(old);
    await worksAgain(backend);
    const other = group.servers.find((server) => server !== old && server !== next)!;
    const before = await getsAt(group, other);
    await eventually(async () => {
      await backend.get('key');
      return (await getsAt(group, other)) > before + 5;
    });
  });
});
