import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import {
  ClosedError,
  InvalidArgumentError,
  NodeReplyError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
} from '../../src/errors/index.ts';
import { FaultyBackend } from '../../src/testing/faulty-backend.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function setup() {
  const clock = new SimulatedClock();
  const memory = new MemoryBackend({ clock });
  const faulty = new FaultyBackend(memory, { clock, nodeName: 'n1' });
  return { clock, memory, faulty };
}

/** What became of a promise, so that a test can look before and after time is moved. */
function watch(promise: Promise<unknown>) {
  const seen: { outcome?: unknown } = {};
  promise.then(
    (value) => {
      seen.outcome = { value };
    },
    (error) => {
      seen.outcome = error;
    },
  );
  return seen;
}

describe('FaultyBackend', () => {
  it('behaves as the wrapped backend while no fault is on', async () => {
    const { clock, faulty } = setup();
    await faulty.set('a', bytes('1'), { expiresAtMs: clock.wallMs() + 10, timeoutMs: 5 });
    expect((await faulty.expiring!.getWithExpiry('a', {}))?.expiresAtMs).toBe(clock.wallMs() + 10);
    expect(await faulty.many.getMany(['a', 'b'], {})).toEqual([Buffer.from('1'), undefined]);
    expect(await faulty.counting!.increment('n', 2, {})).toBe(2);
    expect([faulty.name, faulty.endsItsCalls]).toEqual(['memory', true]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts every call by its name', async () => {
    const { faulty } = setup();
    await faulty.get('a', {});
    await faulty.get('b', {});
    faulty.stop();
    await faulty.many.setMany([], {}).catch(() => {});
    expect(faulty.calls).toMatchObject({ get: 2, setMany: 1, delete: 0 });
    await faulty.get('a', { signal: AbortSignal.abort() }).catch(() => {});
    expect(faulty.calls.get).toBe(2);
    faulty.resetCalls();
    expect(faulty.calls.get).toBe(0);
  });

  it('is a dead server after stop, and has its data after start', async () => {
    const { faulty } = setup();
    await faulty.set('a', bytes('1'), {});
    faulty.stop();
    await expect(faulty.get('a', {})).rejects.toThrow(NodeUnavailableError);
    await expect(faulty.set('a', bytes('2'), {})).rejects.toMatchObject({ node: 'n1', operation: 'set' });
    await expect(faulty.ping({})).rejects.toThrow(NodeUnavailableError);
    await expect(faulty.listing!.scan({})[Symbol.asyncIterator]().next()).rejects.toThrow(NodeUnavailableError);
    faulty.start();
    expect(await faulty.get('a', {})).toEqual(Buffer.from('1'));
  });

  it('hangs until start, and then executes what came meanwhile', async () => {
    const { clock, faulty } = setup();
    faulty.hang();
    const set = watch(faulty.set('a', bytes('1'), {}));
    const get = watch(faulty.get('a', {}));
    await clock.advance(1_000_000);
    expect([set, get]).toEqual([{}, {}]);
    faulty.start();
    await clock.advance(0);
    expect([set.outcome, get.outcome]).toEqual([{ value: undefined }, { value: Buffer.from('1') }]);
  });

  it('keeps timeoutMs while it hangs: a read times out, the outcome of a write is unknown', async () => {
    const { clock, faulty, memory } = setup();
    faulty.hang();
    const get = watch(faulty.get('a', { timeoutMs: 100 }));
    const set = watch(faulty.set('a', bytes('1'), { timeoutMs: 100 }));
    await clock.advance(99);
    expect([get, set]).toEqual([{}, {}]);
    await clock.advance(1);
    expect(get.outcome).toBeInstanceOf(TimeoutError);
    expect(get.outcome).toMatchObject({ node: 'n1', operation: 'get', timeoutMs: 100 });
    expect(set.outcome).toBeInstanceOf(UnknownOutcomeError);
    expect(await memory.get('a', {})).toBeUndefined();
    faulty.start();
    await clock.advance(0);
    expect(await memory.get('a', {})).toEqual(Buffer.from('1'));
  });

  it('ends a hanging call when its signal aborts, with the reason', async () => {
    const { faulty } = setup();
    const controller = new AbortController();
    faulty.hang();
    const get = faulty.get('a', { signal: controller.signal });
    controller.abort('enough');
    await expect(get).rejects.toBe('enough');
  });

  it('breaks hanging calls when it is stopped or closed', async () => {
    for (const end of ['stop', 'close'] as const) {
      const { faulty } = setup();
      faulty.hang();
      const get = expect(faulty.get('a', {})).rejects.toThrow(NodeUnavailableError);
      const set = expect(faulty.set('a', bytes('1'), {})).rejects.toThrow(UnknownOutcomeError);
      await faulty[end]();
      await Promise.all([get, set]);
    }
  });

  it('fails the next calls with the errors asked for, in order', async () => {
    const { faulty } = setup();
    const loading = new NodeReplyError('n1', 'get', 'LOADING');
    faulty.failNext(2, loading);
    faulty.failNext(1, 'third');
    await expect(faulty.get('a', {})).rejects.toBe(loading);
    await expect(faulty.set('a', bytes('1'), {})).rejects.toBe(loading);
    await expect(faulty.ping({})).rejects.toBe('third');
    expect(await faulty.get('a', {})).toBeUndefined();
  });

  it('executes and loses the replies', async () => {
    const { faulty } = setup();
    faulty.loseReplies();
    await expect(faulty.counting!.increment('n', 1, {})).rejects.toThrow(UnknownOutcomeError);
    await expect(faulty.get('n', {})).rejects.toThrow(NodeUnavailableError);
    faulty.start();
    expect(await faulty.get('n', {})).toEqual(Buffer.from('1'));
  });

  it('delays every call, and executes one late that was given up', async () => {
    const { clock, faulty, memory } = setup();
    faulty.delayMs = 50;
    const get = watch(faulty.get('a', {}));
    const set = watch(faulty.set('a', bytes('1'), { timeoutMs: 20 }));
    await clock.advance(49);
    expect(get).toEqual({});
    expect(set.outcome).toBeInstanceOf(UnknownOutcomeError);
    await clock.advance(1);
    expect(get.outcome).toEqual({ value: undefined });
    expect(await memory.get('a', {})).toEqual(Buffer.from('1'));
  });

  it('can die in the middle of a scan', async () => {
    const { faulty } = setup();
    await faulty.many.setMany([['a', bytes('1')] as const, ['b', bytes('2')] as const], {});
    const scan = faulty.listing!.scan({})[Symbol.asyncIterator]();
    expect((await scan.next()).done).toBe(false);
    faulty.stop();
    await expect(scan.next()).rejects.toThrow(NodeUnavailableError);
    expect(faulty.calls.scan).toBe(1);
  });

  it('refuses calls after close, even while stopped', async () => {
    const { faulty } = setup();
    faulty.stop();
    await faulty.close();
    await faulty[Symbol.asyncDispose]();
    await expect(faulty.get('a', {})).rejects.toThrow(ClosedError);
  });

  it('takes the name of the node that it joins, and so does what it wraps', async () => {
    const { faulty, memory } = setup();
    faulty.nodeName = 'n2';
    expect([faulty.nodeName, memory.nodeName]).toEqual(['n2', 'n2']);
    faulty.stop();
    await expect(faulty.get('a', {})).rejects.toMatchObject({ node: 'n2' });
  });

  it('refuses options that it does not know or understand', () => {
    const memory = new MemoryBackend();
    const wrong = { nodename: 'n1' } as unknown as { nodeName: string };
    expect(() => new FaultyBackend(memory, wrong)).toThrow('options.nodename');
    expect(() => new FaultyBackend(memory, { nodeName: 5 as unknown as string })).toThrow('options.nodeName');
    expect(() => new FaultyBackend(null as unknown as MemoryBackend)).toThrow(InvalidArgumentError);
    const faulty = new FaultyBackend(memory);
    expect(() => faulty.failNext(-1, 'x')).toThrow(InvalidArgumentError);
    expect(() => {
      faulty.delayMs = Number.NaN;
    }).toThrow('delayMs');
  });
});
