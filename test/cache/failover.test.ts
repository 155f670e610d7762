import { describe, expect, it } from 'vitest';
import { NodeReplyError } from '../../src/errors/index.ts';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const keys = Array.from({ length: 200 }, (_, index) => `key:${index}`);

describe('with one copy of each key', () => {
  it('only the calls for keys of a stopped node fail, with the error of that node', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b', 'c']);
    nodes.a!.stop();
    const lost = keyOf('a');
    for (const call of [
      () => cache.get(lost),
      () => cache.set(lost, 1),
      () => cache.delete(lost),
      () => cache.increment(lost),
      () => cache.expire(lost, 10),
      () => cache.has(lost),
    ]) {
      await expect(call()).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_NODE_UNAVAILABLE', node: 'a', retryable: true }),
      );
    }
    await cache.set(keyOf('b'), 1);
    expect(await cache.get(keyOf('b'))).toBe(1);
  });

  it('a node that is down is not called at all until a probe succeeds', async () => {
    const { cache, nodes, events, keyOf, probe, clock } = makeFaultyCache(['a', 'b']);
    nodes.a!.stop();
    await probe();
    expect(cache.health().get('a')).toBe('down');
    nodes.a!.resetCalls();
    await expect(cache.get(keyOf('a'))).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    await expect(cache.set(keyOf('a'), 1)).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    expect(nodes.a!.calls.get + nodes.a!.calls.set).toBe(0);
    nodes.a!.start();
    await clock.advance(500);
    expect(cache.health().get('a')).toBe('up');
    await cache.set(keyOf('a'), 1);
    expect(events.map(({ name }) => name)).toEqual(['nodeSuspect', 'nodeDown', 'nodeUp']);
  });

  it('a node that hangs fails its calls at their deadline: reads as timed out, writes as of unknown outcome', async () => {
    const { cache, nodes, clock, keyOf } = makeFaultyCache(['a', 'b'], { timeoutMs: 250 });
    nodes.a!.hang();
    const results = Promise.allSettled([cache.get(keyOf('a')), cache.set(keyOf('a'), 1), cache.increment(keyOf('a'))]);
    await cache.set(keyOf('b'), 1);
    await clock.advance(250);
    const codes = (await results).map((result) => (result as PromiseRejectedResult).reason.code);
    expect(codes).toEqual(['ERR_TIMEOUT', 'ERR_UNKNOWN_OUTCOME', 'ERR_UNKNOWN_OUTCOME']);
    expect(cache.health()).toEqual(
      new Map([
        ['a', 'suspect'],
        ['b', 'up'],
      ]),
    );
  });

  it('the many-key calls keep what succeeded in their error', async () => {
    const { cache, nodes } = makeFaultyCache(['a', 'b', 'c', 'd']);
    await cache.setMany(keys.map((key) => [key, key.length]));
    nodes.c!.stop();
    const isLost = (key: string) => cache.topology.placement.nodeFor(key) === 'c';
    const [lost, kept] = [keys.filter(isLost), keys.filter((key) => !isLost(key))];
    expect(lost.length).toBeGreaterThan(0);

    const read = await cache.getMany(keys).catch((error) => error);
    expect(read).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: lost, retryable: true });
    expect([...read.results]).toEqual(kept.map((key) => [key, key.length]));
    expect(read.attempts.map(({ node }: { node: string }) => node)).toEqual(['c']);
    expect(read.message).not.toContain('key:');

    const written = await cache.setMany(keys.map((key) => [key, 0])).catch((error) => error);
    expect(written).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: lost });
    expect(written.results).toEqual(kept);

    const deleted = await cache.deleteMany(keys).catch((error) => error);
    expect(deleted).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: lost, results: kept.length });
    nodes.c!.start();
    expect(await cache.deleteMany(keys)).toBe(lost.length);
  });

  it('an error of the server itself does not make the node suspect', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a']);
    nodes.a!.failNext(1, new NodeReplyError('a', 'get', 'WRONGTYPE'));
    await expect(cache.get(keyOf('a'))).rejects.toThrow(code('ERR_NODE_REPLY'));
    expect(cache.health().get('a')).not.toBe('suspect');
  });

  it('listing and clearing fail rather than leave out a node', async () => {
    const { cache, nodes } = makeFaultyCache(['a', 'b', 'c']);
    await cache.setMany(keys.map((key) => [key, 1]));
    nodes.b!.stop();
    await expect(collect(cache.keys())).rejects.toThrow(code('ERR_ALL_REPLICAS_FAILED'));
    await expect(cache.clear()).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_WRITE_CONSISTENCY', required: 3, acknowledged: ['a', 'c'] }),
    );
    nodes.b!.start();
    expect((await collect(cache.keys())).every((key) => cache.topology.placement.nodeFor(key) === 'b')).toBe(true);
  });
});

describe('with two copies of each key', () => {
  it('no key is lost to any one node, and no call fails', async () => {
    for (const dead of ['a', 'b', 'c', 'd']) {
      const { cache, nodes, probe, events } = makeFaultyCache(['a', 'b', 'c', 'd'], {
        replicationFactor: 2,
        writeConsistency: 'all',
      });
      await cache.setMany(keys.map((key) => [key, key]));
      nodes[dead]!.stop();
      // Before the probes know of it, and after.
      for (const expectedFailovers of [true, false]) {
        events.length = 0;
        for (const key of keys) expect(await cache.get(key)).toBe(key);
        expect((await cache.getMany(keys)).size).toBe(keys.length);
        expect(events.some(({ name }) => name === 'failover')).toBe(expectedFailovers);
        expect(new Set(await collect(cache.keys()))).toEqual(new Set(keys));
        await probe();
      }
    }
  });

  it('a read that waits at a node moves on to the other holder when probes of the node go unanswered', async () => {
    const { cache, nodes, clock, keyOf, events } = makeFaultyCache(['a', 'b', 'c'], {
      replicationFactor: 2,
      timeoutMs: 60_000,
    });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    nodes.a!.hang();
    const ended: unknown[] = [];
    const reads = Promise.all([
      cache.get(key).then((value) => ended.push(value)),
      cache.getMany([key]).then((values) => ended.push(values.get(key))),
    ]);
    await clock.advance(1_400);
    expect(ended).toEqual([]);
    await clock.advance(1_000);
    expect(ended).toEqual([1, 1]);
    await reads;
    // Long before its own share of the time is over, and before the node is down: calls may take a minute here.
    expect(cache.health().get('a')).toBe('suspect');
    expect(events.filter(({ name }) => name === 'failover')).toHaveLength(2);
    nodes.a!.start();
  });

  it('a read with no other node to ask goes on waiting, whatever the probes say', async () => {
    const { cache, nodes, clock, keyOf } = makeFaultyCache(['a', 'b'], { timeoutMs: 60_000 });
    const key = keyOf('a');
    await cache.set(key, 1);
    nodes.a!.hang();
    const read = cache.get(key);
    await clock.advance(59_000);
    nodes.a!.start();
    expect(await read).toBe(1);
  });

  it('a failover is reported with the nodes that failed', async () => {
    const { cache, nodes, events, keyOf } = makeFaultyCache(['a', 'b', 'c'], { replicationFactor: 2 });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    nodes.a!.stop();
    expect(await cache.get(key)).toBe(1);
    expect(events).toEqual([
      expect.objectContaining({ name: 'nodeSuspect', node: 'a' }),
      { name: 'failover', operation: 'get', node: 'b', failed: ['a'], keys: 1 },
    ]);
  });

  it('a node that is up is preferred to one that is suspect', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    nodes.a!.stop();
    await cache.get(key);
    nodes.a!.resetCalls();
    expect(await cache.get(key)).toBe(1);
    expect(nodes.a!.calls.get).toBe(0);
  });

  it('a primary that hangs leaves its replica time to answer before the deadline', async () => {
    const { cache, nodes, clock, keyOf } = makeFaultyCache(['a', 'b'], { replicationFactor: 2, timeoutMs: 1_000 });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    nodes.a!.hang();
    const startMs = clock.nowMs();
    const read = cache.get(key);
    const many = cache.getMany([key]);
    await clock.advance(500);
    expect(await read).toBe(1);
    expect((await many).get(key)).toBe(1);
    expect(clock.nowMs() - startMs).toBeLessThan(1_000);
  });

  it('a value that the primary lost is found at the replica, and an event reports it', async () => {
    const { cache, nodes, events, keyOf, storedAt } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    await nodes.a!.delete(key, {});
    expect(await cache.get(key)).toBe(1);
    expect(await cache.getMany([key])).toEqual(new Map([[key, 1]]));
    expect(events).toEqual([
      { name: 'replicaHit', operation: 'get', node: 'b', missedAt: ['a'], keys: 1 },
      { name: 'replicaHit', operation: 'getMany', node: 'b', missedAt: ['a'], keys: 1 },
    ]);
    expect(await storedAt('a', key)).toBeUndefined();
  });

  it('read repair puts the lost value back at the primary, with its expiry', async () => {
    for (const read of ['get', 'getMany'] as const) {
      const { cache, nodes, events, keyOf, clock } = makeFaultyCache(['a', 'b'], {
        replicationFactor: 2,
        readRepair: true,
      });
      const key = keyOf('a', 'b');
      await cache.set(key, 1, { ttlMs: 5_000 });
      await nodes.a!.delete(key, {});
      if (read === 'get') await cache.get(key);
      else await cache.getMany([key]);
      await clock.advance(0);
      expect(events.map(({ name }) => name)).toEqual(['replicaHit', 'repaired']);
      expect(await nodes.a!.expiring!.expiresAt(key, {})).toBe(clock.wallMs() + 5_000);
    }
  });

  it('read repair never brings back what was deleted or overwritten meanwhile', async () => {
    for (const write of ['delete', 'set'] as const) {
      const { cache, nodes, keyOf, clock, storedAt } = makeFaultyCache(['a', 'b'], {
        replicationFactor: 2,
        readRepair: true,
      });
      const key = keyOf('a', 'b');
      await cache.set(key, 1);
      await nodes.a!.delete(key, {});
      nodes.b!.delayMs = 50;
      const read = cache.get(key);
      await clock.advance(60);
      // The replica has answered the read and is being asked for the copy.
      await read;
      const done = write === 'delete' ? cache.delete(key) : cache.set(key, 2);
      await clock.advance(1_000);
      await done;
      expect(await storedAt('a', key)).toBe(write === 'delete' ? undefined : '2');
      nodes.b!.delayMs = 0;
      expect(await cache.get(key)).toBe(write === 'delete' ? undefined : 2);
    }
  });

  it('a counter goes on, and keeps its time to live, when its primary comes back empty', async () => {
    const { cache, nodes, keyOf, storedAt, probe } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    const key = keyOf('a', 'b');
    await cache.set(key, 50, { ttlMs: 60_000 });
    nodes.a!.stop();
    await probe();
    expect(await cache.increment(key)).toBe(51);
    nodes.a!.start();
    await nodes.a!.clearing!.clear({});
    await probe();
    const sums = await Promise.all([cache.increment(key), cache.increment(key)]);
    expect(sums.sort()).toEqual([52, 53]);
    expect([await storedAt('a', key), await storedAt('b', key)]).toEqual(['53', '53']);
    expect(await nodes.a!.expiring!.expiresAt(key, {})).toBe(await nodes.b!.expiring!.expiresAt(key, {}));
  });

  it('a call of several steps ends by the one deadline, whichever step hangs', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a', 'b', 'c'], { replicationFactor: 2, timeoutMs: 1_000 });
    const settled: number[] = [];
    for (const node of Object.values(nodes)) node.hang();
    const startMs = clock.nowMs();
    const calls = keys.slice(0, 20).flatMap((key) => [cache.increment(key), cache.expire(key, 5), cache.get(key)]);
    for (const call of calls) {
      void call.then(
        () => settled.push(clock.nowMs() - startMs),
        () => settled.push(clock.nowMs() - startMs),
      );
    }
    await clock.advance(1_010);
    expect(settled.length).toBe(calls.length);
    for (const node of Object.values(nodes)) node.start();
  });

  it('a miss asks the replica too, unless confirmMisses is off', async () => {
    for (const confirmMisses of [true, false]) {
      const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b'], { replicationFactor: 2, confirmMisses });
      expect(await cache.get(keyOf('a', 'b'))).toBeUndefined();
      await cache.getMany([keyOf('a', 'b')]);
      expect(nodes.a!.calls.get + nodes.a!.calls.getMany).toBe(2);
      expect(nodes.b!.calls.get + nodes.b!.calls.getMany).toBe(confirmMisses ? 2 : 0);
    }
  });

  it('a miss at the one node that answers is a miss, and no answer at all is an error', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    nodes.a!.stop();
    expect(await cache.get(keyOf('a', 'b'))).toBeUndefined();
    expect((await cache.getMany([keyOf('a', 'b')])).size).toBe(0);
    nodes.b!.stop();
    await expect(cache.get(keyOf('a', 'b'))).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_ALL_REPLICAS_FAILED',
        attempts: [expect.objectContaining({ node: 'b' }), expect.objectContaining({ node: 'a' })],
      }),
    );
  });

  it.each([
    ['one', 1],
    ['quorum', 2],
    ['all', 3],
  ] as const)('a write at level %s of three copies needs %i acknowledgements', async (writeConsistency, needed) => {
    for (let stopped = 0; stopped <= 3; stopped++) {
      for (const probed of [false, true]) {
        const { cache, nodes, probe, keyOf } = makeFaultyCache(['a', 'b', 'c'], {
          replicationFactor: 3,
          writeConsistency,
        });
        for (const id of ['a', 'b', 'c'].slice(0, stopped)) nodes[id]!.stop();
        if (probed) await probe();
        const key = keyOf('a', 'b', 'c');
        const enough = 3 - stopped >= needed;
        const written = await cache.set(key, 1).catch((error) => error);
        const many = await cache.setMany([[key, 1]]).catch((error) => error);
        const removed = await cache.delete(key).catch((error) => error);
        if (enough) expect([written, many, removed]).toEqual([undefined, undefined, true]);
        else {
          const acknowledged = probed ? [] : ['a', 'b', 'c'].slice(stopped);
          expect(written).toMatchObject({ code: 'ERR_WRITE_CONSISTENCY', required: needed });
          expect([...written.acknowledged].sort()).toEqual(acknowledged);
          expect(written.attempts.length).toBe(stopped);
          expect(many).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: [key] });
          expect(removed).toMatchObject({ code: 'ERR_WRITE_CONSISTENCY' });
        }
      }
    }
  });

  it('a write returns at its level, and later reports the copy that it could not make', async () => {
    const { cache, nodes, events, clock, keyOf } = makeFaultyCache(['a', 'b'], {
      replicationFactor: 2,
      timeoutMs: 300,
    });
    nodes.a!.hang();
    await cache.set(keyOf('a', 'b'), 1);
    expect(events).toEqual([]);
    await clock.advance(300);
    expect(events).toEqual([
      expect.objectContaining({ name: 'nodeSuspect', node: 'a' }),
      expect.objectContaining({ name: 'writeMissed', operation: 'set', node: 'a', error: code('ERR_UNKNOWN_OUTCOME') }),
    ]);
  });
});

describe("with whenDown: 'spill'", () => {
  it('the next live node is the fallback node for one that is down', async () => {
    const { cache, nodes, events, keyOf, probe, storedAt } = makeFaultyCache(['a', 'b', 'c'], { whenDown: 'spill' });
    const key = keyOf('a', 'b');
    nodes.a!.stop();
    await probe();
    await cache.set(key, 1);
    expect(await storedAt('b', key)).toBe('1');
    expect(await cache.get(key)).toBe(1);
    expect(await cache.getMany([key])).toEqual(new Map([[key, 1]]));
    expect(events.filter(({ name }) => name === 'spill')).toEqual([
      { name: 'spill', operation: 'set', nodes: ['b'], down: ['a'] },
    ]);
    expect(await collect(cache.keys()).catch((error) => error.code)).toBe('ERR_ALL_REPLICAS_FAILED');
  });

  it('a fallback node keeps what it was given for spillTtlMs at most', async () => {
    const { cache, nodes, keyOf, probe } = makeFaultyCache(['a', 'b', 'c'], { whenDown: 'spill', spillTtlMs: 5_000 });
    nodes.a!.stop();
    await probe();
    await cache.set(keyOf('a'), 1);
    await cache.setMany([[keyOf('a'), 1]]);
    expect(await cache.ttl(keyOf('a'))).toBe(5_000);
    await cache.set(keyOf('a'), 1, { ttlMs: 100 });
    expect(await cache.ttl(keyOf('a'))).toBe(100);
    await cache.set(keyOf('b'), 1);
    expect(await cache.ttl(keyOf('b'))).toBe(Number.POSITIVE_INFINITY);
  });

  it('calls succeed for as long as one node is up, and then fail', async () => {
    const { cache, nodes, probe } = makeFaultyCache(['a', 'b', 'c'], { whenDown: 'spill', replicationFactor: 2 });
    nodes.a!.stop();
    nodes.b!.stop();
    await probe();
    await cache.setMany(keys.map((key) => [key, key]));
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    nodes.c!.stop();
    await probe();
    await expect(cache.get('k')).rejects.toThrow(code('ERR_ALL_REPLICAS_FAILED'));
    await expect(cache.set('k', 1)).rejects.toThrow(code('ERR_WRITE_CONSISTENCY'));
  });
});
