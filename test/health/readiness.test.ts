import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { HealthMonitor } from '../../src/health/monitor.ts';
import { untilReady } from '../../src/health/readiness.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';
import { LateClock } from '../support/late-clock.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Lets what was begun come to where it waits. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the health of a new cache', () => {
  it('is unknown, whatever the nodes are like, and nobody is asked until somebody asks', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a', 'b']);
    nodes.b!.stop();
    await clock.advance(5_000);
    expect(nodes.a!.calls.ping).toBe(0);
    expect(cache.explain('k').nodes[0]!.health).toBe('unknown');
    expect(inspect(cache)).toContain('unknown');
    await clock.advance(5_000);
    expect(nodes.a!.calls.ping).toBe(0);
    expect(cache.health()).toEqual(
      new Map([
        ['a', 'unknown'],
        ['b', 'unknown'],
      ]),
    );
    await clock.advance(0);
    expect(nodes.a!.calls.ping).toBe(1);
    expect(cache.health().get('a')).toBe('up');
    expect(cache.health().get('b')).not.toBe('up');
  });

  it('does not call a first answer a recovery', async () => {
    const { cache, clock, events } = makeFaultyCache(['a']);
    cache.health();
    await clock.advance(2_000);
    expect(cache.health().get('a')).toBe('up');
    expect(events).toEqual([]);
  });
});

describe('ready', () => {
  it('resolves when all nodes have answered, by itself', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a', 'b', 'c']);
    let isReady = false;
    const ready = cache.ready({ timeoutMs: 60_000 }).then(() => {
      isReady = true;
    });
    nodes.b!.stop();
    await clock.advance(5_000);
    expect(isReady).toBe(false);
    nodes.b!.start();
    await clock.advance(2_000);
    await ready;
    await cache.ready();
    expect([...cache.health().values()]).toEqual(['up', 'up', 'up']);
  });

  it('does with as many nodes as atLeast says', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a', 'b', 'c']);
    nodes.b!.stop();
    const ready = cache.ready({ atLeast: 2 });
    await clock.advance(0);
    await ready;
    const all = expect(cache.ready({ timeoutMs: 700 })).rejects.toMatchObject({
      code: 'ERR_NOT_READY',
      required: 3,
      ready: ['a', 'c'],
      timeoutMs: 700,
      retryable: true,
      attempts: [{ node: 'b', error: expect.objectContaining({ code: 'ERR_NODE_UNAVAILABLE' }) }],
    });
    await clock.advance(700);
    await all;
  });

  it('says of each node what is wrong with it when time is up', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a', 'b', 'c'], { timeoutMs: 300 });
    nodes.a!.stop();
    nodes.b!.hang();
    const ready = cache.ready().catch((error: unknown) => error);
    await clock.advance(300);
    const error = (await ready) as Error & { attempts: { node: string }[] };
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', required: 3, ready: ['c'] });
    expect(error.attempts.map(({ node }) => node)).toEqual(['a', 'b']);
    expect(error.message).toMatch(
      /^ready: 1 nodes? .* after 300 ms, 3 are needed \(a: .*cannot be reached.*; b: .*did not answer/,
    );
    nodes.b!.start();
    await clock.advance(5_000);
    expect(clock.pendingTimers).toBe(1); // That of the next probes.
  });

  it('ends by its signal, and when the cache is closed', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a']);
    nodes.a!.stop();
    const controller = new AbortController();
    const aborted = cache.ready({ signal: controller.signal });
    await settle();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(cache.ready({ signal: controller.signal })).rejects.toThrow('enough');
    const closed = cache.ready({ timeoutMs: 60_000 });
    await settle();
    const closing = cache.close();
    await expect(closed).rejects.toThrow(code('ERR_CLOSED'));
    await closing;
    await expect(cache.ready()).rejects.toThrow(code('ERR_CLOSED'));
    expect(clock.pendingTimers).toBe(0);
  });

  it('refuses options that make no sense', async () => {
    const { cache } = makeFaultyCache(['a', 'b']);
    for (const [options, field] of [
      [{ atLeast: 3 }, 'options.atLeast'],
      [{ atLeast: 0 }, 'options.atLeast'],
      [{ timeoutMs: 0 }, 'options.timeoutMs'],
      [{ signal: 1 }, 'options.signal'],
      [{ atleast: 1 }, 'options.atleast'],
    ] as const) {
      await expect(cache.ready(options as object)).rejects.toThrow(expect.objectContaining({ field }));
    }
    await using empty = new ShardedCache({ nodes: [] });
    await expect(empty.ready()).rejects.toThrow(code('ERR_NO_NODES'));
  });
});

describe('ready in a process that is held up, as one that starts may well be', () => {
  function waitForNode() {
    const clock = new LateClock();
    const times = { probeIntervalMs: 60_000, probeTimeoutMs: 60_000, patienceMs: 60_000 };
    const monitor = new HealthMonitor({ clock, ...times, onChange: () => undefined });
    let answer = () => {};
    monitor.watch('a', () => {
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    });
    const ready = untilReady({ monitor, clock, timeoutMs: 1_000, what: 'cache', nodes: () => ['a'] }, undefined);
    clock.fireNext(); // The probe is sent.
    clock.stall(1_500);
    clock.fireNext(); // The time is up, and no socket has been read.
    return { clock, ready, answer };
  }

  it('takes the answer that came meanwhile', async () => {
    const { clock, ready, answer } = waitForNode();
    answer();
    await ready;
    expect(clock.loop.holders).toBe(0);
  });

  it('still ends, after as much more time as the process was held up', async () => {
    const { clock, ready } = waitForNode();
    const refused = expect(ready).rejects.toThrow(code('ERR_NOT_READY'));
    clock.fireNext();
    await refused;
    expect(clock.nowMs()).toBe(2_500);
    expect(clock.loop.holders).toBe(0);
  });
});

describe('what console.log shows of a cache', () => {
  it('is its topology and the states of its nodes, and neither keys nor values nor what the backends are made of', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a', 'b']);
    await cache.set('secret-key', 'secret-value');
    nodes.b!.stop();
    await clock.advance(5_000);
    const shown = inspect(cache);
    const { checksum } = cache.topology.placement;
    expect(shown.replace(/\s+/g, ' ')).toBe(
      `ShardedCache { epoch: 1, placement: '${checksum}', replicationFactor: 1, nodes: Map(2) { 'a' => 'up', 'b' => 'down' } }`,
    );
    expect(shown).not.toMatch(/secret/);
    expect(inspect({ deep: { deeper: { cache } } })).toContain('[ShardedCache]');
    expect(inspect({ cache })).toContain("'a' => 'up'");
  });
});
