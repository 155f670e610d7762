import { describe, expect, it, vi } from 'vitest';
import { NodeUnavailableError, TimeoutError, UnknownOutcomeError } from '../../src/errors/index.ts';
import { unwatched } from '../../src/health/node-observer.ts';
import { Door } from '../../src/nodes/attempt.ts';
import type { RedisNode } from '../../src/redis/node.ts';
import { NodeCaller, NodeCommand, stepOf } from '../../src/redis/node-caller.ts';
import type { Fleet } from '../../src/routing/fleet.ts';
import type { Clock } from '../../src/runtime/clock.ts';

const timeout = new TimeoutError('a', 'multi', 300);
const lost = new UnknownOutcomeError('a', 'multi', { cause: timeout });
const unreachable = new NodeUnavailableError('a', 'multi', { cause: new Error('refused') });

/** What health hears of a call of several steps that fails so, in a process that was held up for so long meanwhile. */
async function reported(error: Error, stallMs: number): Promise<unknown[]> {
  const failed = vi.fn();
  const clock = { nowMs: () => 0, loop: { longestStallMs: () => stallMs } };
  const fleet = { clock, door: new Door(clock as unknown as Clock) } as unknown as Fleet;
  const caller = new NodeCaller(fleet, new Map(), 300);
  const node = { id: 'a', observer: { ...unwatched, failed } } as unknown as RedisNode;
  const used = caller.watched(node, stepOf('multi', 'multi'), caller.limits(), () => Promise.reject(error));
  await expect(used).rejects.toBe(error);
  return failed.mock.calls.map(([told]) => told);
}

describe('NodeCaller.watched', () => {
  it.each([
    ['a timeout', timeout],
    ['an outcome that a timeout left unknown', lost],
  ])('does not tell health of %s where the process itself was held up', async (_, error) => {
    expect(await reported(error, 700)).toEqual([]);
    expect(await reported(error, 0)).toEqual([error]);
  });

  it('tells health of every other failure', async () => {
    expect(await reported(unreachable, 700)).toEqual([unreachable]);
  });
});

describe('NodeCaller and a node that was removed', () => {
  const states = { allUp: true };
  const caller = new NodeCaller({ states, clock: { nowMs: () => 0 } } as unknown as Fleet, new Map(), 300);

  it('refuses to ask it, says so, and that the call may be made again', () => {
    const expected = { code: 'ERR_NODES_CHANGED', node: 'b', operation: 'get', retryable: true };
    expect(() => caller.call('b', new NodeCommand('get', ['key'], false))).toThrow(expect.objectContaining(expected));
    expect(() => caller.nodeAt('b', 'get')).toThrow(expect.objectContaining(expected));
    expect(caller.has({ id: 'b' } as RedisNode)).toBe(false);
  });
});
