import { describe, expect, it } from 'vitest';
import { Door } from '../../src/nodes/attempt.ts';
import type { Member } from '../../src/nodes/node.ts';
import type { Operation } from '../../src/nodes/operation.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const member = { id: 'a' } as Member;

function operationOf<Reply>(run: Operation<Reply>['run']): Operation<Reply> {
  return { name: 'get', keys: ['key'], effect: 'reads', run };
}

function openDoor() {
  const clock = new SimulatedClock();
  const told: unknown[] = [];
  return { clock, told, door: new Door(clock, { noteFailure: ({ id }, error) => told.push([id, error]) }) };
}

describe('the door to the nodes', () => {
  it('gives what the node replied, and tells health nothing', async () => {
    const { door, told } = openDoor();
    const limits = { timeoutMs: 5 };
    const operation = operationOf(async (asked, given) => [asked, given]);
    expect(await door.attempt(member, operation, limits)).toEqual({ failed: undefined, reply: [member, limits] });
    expect(told).toEqual([]);
  });

  it('makes an attempt of a failure, with the time it took, and tells health of it', async () => {
    const { door, told, clock } = openDoor();
    const error = new Error('refused');
    const asked = door.attempt(
      member,
      operationOf(() => new Promise((_, reject) => clock.schedule(30, () => reject(error), true))),
      {},
    );
    await clock.advance(30);
    expect(await asked).toEqual({ failed: { node: 'a', elapsedMs: 30, error } });
    expect(told).toEqual([['a', error]]);
  });

  it.each([
    ['throws at once', () => new Error('broken'), 'broken'],
    ['returns what is no promise', () => 'value', undefined],
  ])('bears a node that %s', async (_, make, message) => {
    const { door } = openDoor();
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

  it('tells health nothing of a call that its caller has aborted, and gives the reason', async () => {
    const { door, told } = openDoor();
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
    expect(told).toEqual([]);
  });

  it('asks in the turn in which it is called, so that what is asked first reaches the node first', () => {
    const { door } = openDoor();
    const order: number[] = [];
    for (const each of [1, 2, 3])
      void door.attempt(
        member,
        operationOf(async () => order.push(each)),
        {},
      );
    expect(order).toEqual([1, 2, 3]);
  });
});
