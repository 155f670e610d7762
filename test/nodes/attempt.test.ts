import { describe, expect, it } from 'vitest';
import type { NodeAttempt } from '../../src/errors/index.ts';
import type { NodeObserver } from '../../src/health/node-observer.ts';
import { Door } from '../../src/nodes/attempt.ts';
import type { Member } from '../../src/nodes/node.ts';
import type { Operation } from '../../src/nodes/operation.ts';
import { sleep } from '../../src/runtime/clock.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

function operationOf<Reply>(run: Operation<Reply>['run']): Operation<Reply> {
  return { name: 'get', keys: ['key'], effect: 'reads', run };
}

const listing = { name: 'keys', keys: [], effect: 'reads' } as const;

const never = ({ error }: NodeAttempt) => expect.unreachable(String(error));

function openDoor() {
  const clock = new SimulatedClock();
  const told: unknown[] = [];
  const observer: NodeObserver = {
    began: () => told.push(['began']),
    answered: (...times) => told.push(['answered', ...times]),
    failed: (...failure) => told.push(['failed', ...failure]),
    abandoned: () => told.push(['abandoned']),
  };
  const member = { id: 'a', observer } as unknown as Member;
  return { clock, told, member, door: new Door(clock) };
}

describe('the door to the nodes', () => {
  it('gives what the node replied, and tells its observer that it was asked and has answered', async () => {
    const { door, told, member, clock } = openDoor();
    await clock.advance(10);
    const limits = { timeoutMs: 5 };
    const operation = operationOf(async (...asked) => {
      await sleep(clock, 30);
      return asked;
    });
    const asked = door.attempt(member, operation, limits);
    expect(told).toEqual([['began']]);
    await clock.advance(30);
    expect(await asked).toEqual({ failed: undefined, reply: [member, limits] });
    expect(told).toEqual([['began'], ['answered', 10]]);
  });

  it('makes an attempt of a failure, with the time it took, and tells its observer of it', async () => {
    const { door, told, member, clock } = openDoor();
    const error = new Error('refused');
    const asked = door.attempt(
      member,
      operationOf(() => new Promise((_, reject) => clock.schedule(30, () => reject(error), true))),
      {},
    );
    await clock.advance(30);
    expect(await asked).toEqual({ failed: { node: 'a', elapsedMs: 30, error } });
    expect(told).toEqual([['began'], ['failed', error, 0, 30]]);
  });

  it.each([
    ['throws at once', () => new Error('broken'), 'broken'],
    ['returns what is no promise', () => 'value', undefined],
  ])('bears a node that %s', async (_, make, message) => {
    const { door, member } = openDoor();
    const operation = operationOf<unknown>(() => {
      const made = make();
      if (made instanceof Error) throw made;
      return made as never;
    });
    const { failed, reply } = await door.attempt(member, operation, {});
    expect([(failed?.error as Error | undefined)?.message, reply]).toEqual(
      message === undefined ? [undefined, 'value'] : [message, undefined],
    );
  });

  it('tells its observer that a call was abandoned whose caller has aborted it, and gives the reason', async () => {
    const { door, told, member } = openDoor();
    const controller = new AbortController();
    const asked = door.attempt(
      member,
      operationOf(async () => {
        controller.abort('no longer needed');
        throw new Error('aborted');
      }),
      { signal: controller.signal },
    );
    expect((await asked).failed).toMatchObject({ node: 'a', error: 'no longer needed' });
    expect(told).toEqual([['began'], ['abandoned']]);
  });

  it('asks in the turn in which it is called, so that what is asked first reaches the node first', () => {
    const { door, member } = openDoor();
    const order: number[] = [];
    for (const each of [1, 2, 3])
      void door.attempt(
        member,
        operationOf(async () => order.push(each)),
        {},
      );
    expect(order).toEqual([1, 2, 3]);
  });

  it('takes for the time of a listing only the time in which the node was waited for', async () => {
    const { door, told, member, clock } = openDoor();
    async function* items() {
      for (const item of ['x', 'y']) {
        await sleep(clock, 10);
        yield item;
      }
    }
    const read = async () => {
      for await (const _ of door.list(member, listing, items, undefined, never)) await sleep(clock, 500);
    };
    const reading = read();
    await clock.advance(2_000);
    await reading;
    expect(told).toEqual([['began'], ['answered', 1_000]]);
  });

  it('tells that a listing was abandoned which its reader has left', async () => {
    const { door, told, member } = openDoor();
    const items = async function* () {
      yield* ['x', 'y'];
    };
    for await (const _ of door.list(member, listing, items, undefined, never)) break;
    expect(told).toEqual([['began'], ['abandoned']]);
  });

  it('gives the failure that ends a listing, also of a node that throws when it is asked', async () => {
    const error = new Error('refused');
    for (const begin of [
      () => {
        throw error;
      },
      async function* () {
        yield 'x';
        throw error;
      },
    ]) {
      const { door, told, member } = openDoor();
      const failures: NodeAttempt[] = [];
      for await (const _ of door.list(member, listing, begin, undefined, (failed) => failures.push(failed)));
      expect(failures).toEqual([{ node: 'a', elapsedMs: 0, error }]);
      expect(told).toEqual([['began'], ['failed', error, 0, 0]]);
    }
  });
});
