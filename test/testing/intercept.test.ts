import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { backendOperations, type PortName, portCalls, requiredCalls } from '../../src/backend/calls.ts';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { intercept } from '../../src/testing/intercept.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

type Calls = Record<string, (...args: unknown[]) => unknown>;

/** Every call of every port by name, as methods of what has them. */
function callsOf(backend: Backend): Calls {
  const calls: Calls = {};
  for (const name of Object.keys(requiredCalls))
    calls[name] = (...args) => (backend as unknown as Calls)[name]!(...args);
  for (const [port, names] of Object.entries(portCalls)) {
    const owner = backend[port as PortName] as unknown as Calls;
    for (const name of Object.keys(names)) calls[name] = (...args) => owner[name]!(...args);
  }
  return calls;
}

describe('intercept', () => {
  it('lets every call of every port pass one function, with its arguments, and returns what that returns', () => {
    const passed: unknown[] = [];
    const backend = intercept(new MemoryBackend(), (operation, args) => {
      passed.push([operation, args]);
      return `answer to ${operation}`;
    });
    const options = {};
    for (const [name, call] of Object.entries(callsOf(backend))) expect(call('key', options)).toBe(`answer to ${name}`);
    expect(passed).toEqual(backendOperations.map((operation) => [operation, ['key', options]]));
  });

  it('makes the calls where it is asked to, with the arguments that it is given', async () => {
    const memory = new MemoryBackend();
    const shouting = intercept(memory, (_, [key, ...others], next) => next(String(key).toUpperCase(), ...others));
    await shouting.set('a', Buffer.from('1'), {});
    expect(await shouting.counting.increment('a', 1, {})).toBe(2);
    expect(await memory.get('A', {})).toEqual(Buffer.from('2'));
    expect(await shouting.get('a', {})).toEqual(Buffer.from('2'));
  });

  it('has the ports of the backend and no others', () => {
    const { name, get, set, delete: remove, ping, close } = new MemoryBackend();
    const counting = new MemoryBackend().counting;
    const backend: Backend = { name, get, set, delete: remove, ping, close, counting, [Symbol.asyncDispose]: close };
    const intercepted = intercept(backend, (_, args, next) => next(...args));
    expect(Object.keys(portCalls).filter((port) => port in intercepted)).toEqual(['counting']);
  });

  it('is named as the node that it joins, closes the backend, and says how long that keeps values', async () => {
    const memory = new MemoryBackend();
    const intercepted = intercept(memory, (_, args, next) => next(...args));
    expect([intercepted.name, intercepted.expiryResolutionMs]).toEqual(['memory', 1]);
    expect('nodeName' in intercepted).toBe(true);
    intercepted.nodeName = 'a';
    expect([memory.nodeName, intercepted.nodeName]).toEqual(['a', 'a']);
    await intercepted[Symbol.asyncDispose]();
    await expect(intercepted.get('x', {})).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('may keep a call waiting: a cache ends it at its deadline, although the backend ends its calls', async () => {
    const clock = new SimulatedClock();
    const backend = intercept(new MemoryBackend({ clock }), () => new Promise(() => {}));
    const cache = new ShardedCache({ nodes: [{ id: 'a', backend }], clock, timeoutMs: 100 });
    const get = expect(cache.get('x')).rejects.toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 100 });
    await clock.advance(100);
    await get;
    await cache.close();
  });

  it('refuses what is no backend, and one of shardring 0.1, whose calls would be missing', () => {
    const around = () => undefined;
    expect(() => intercept(undefined as never, around)).toThrow('backend: expected');
    expect(() => intercept(new MemoryBackend(), undefined as never)).toThrow('around: expected a function');
    const old = Object.assign(Object.create(new MemoryBackend()), { capabilities: { scan: true } });
    expect(() => intercept(old, around)).toThrow('written for shardring 0.1');
  });
});
