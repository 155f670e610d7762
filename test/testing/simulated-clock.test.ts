import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { sleep } from '../../src/runtime/clock.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

describe('SimulatedClock', () => {
  it('starts at a fixed time and stays there until it is moved', async () => {
    const clock = new SimulatedClock();
    await new Promise((resolve) => setImmediate(resolve));
    expect([clock.nowMs(), clock.wallMs()]).toEqual([0, Date.UTC(2000, 0, 1)]);
    expect(new SimulatedClock({ wallMs: 5 }).wallMs()).toBe(5);
  });

  it('moves monotonic and wall time together', async () => {
    const clock = new SimulatedClock({ wallMs: 1_000 });
    await clock.advance(250);
    expect([clock.nowMs(), clock.wallMs()]).toEqual([250, 1_250]);
    await clock.advance(0.5);
    expect([clock.nowMs(), clock.wallMs()]).toEqual([250.5, 1_250]);
  });

  it('fires timers in the order of time and then of scheduling, each at its own time', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name}@${clock.nowMs()}`);
    clock.schedule(20, note('late'), true);
    clock.schedule(10, note('first'), true);
    clock.schedule(10, note('second'), false);
    clock.schedule(0, note('now'), true);
    clock.schedule(21, note('beyond'), true);
    await clock.advance(20);
    expect(fired).toEqual(['now@0', 'first@10', 'second@10', 'late@20']);
    expect(clock.pendingTimers).toBe(1);
  });

  it('lets promises settle between timers, so that a loop of sleeps is walked in one advance', async () => {
    const clock = new SimulatedClock();
    const woken: number[] = [];
    const walk = (async () => {
      for (let turn = 0; turn < 5; turn++) {
        await sleep(clock, 10);
        await Promise.resolve();
        woken.push(clock.nowMs());
      }
    })();
    await clock.advance(50);
    expect(woken).toEqual([10, 20, 30, 40, 50]);
    await walk;
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not fire what was cancelled, even by a timer due at the same time', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    clock.schedule(10, () => cancel(), true);
    const cancel = clock.schedule(10, () => fired.push('cancelled'), true);
    await clock.advance(100);
    cancel();
    expect(fired).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('moves one step after the other when calls overlap', async () => {
    const clock = new SimulatedClock();
    await Promise.all([clock.advance(5), clock.advance(7)]);
    expect(clock.nowMs()).toBe(12);
  });

  it('rejects with what a timer throws and can be moved on', async () => {
    const clock = new SimulatedClock();
    clock.schedule(3, () => throwOops(), true);
    const throwOops = () => {
      throw new Error('oops');
    };
    await expect(clock.advance(10)).rejects.toThrow('oops');
    expect(clock.nowMs()).toBe(3);
    await clock.advance(7);
    expect(clock.nowMs()).toBe(10);
  });

  it('refuses a step that is not a finite time forward', () => {
    const clock = new SimulatedClock();
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => clock.advance(ms)).toThrow(InvalidArgumentError);
    }
    expect(() => new SimulatedClock({ wallMs: -1 })).toThrow('options.wallMs');
  });
});
