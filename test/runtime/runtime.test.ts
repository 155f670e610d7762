import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/runtime/clock.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { seededRandom } from '../../src/runtime/random.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

describe('systemClock', () => {
  it('calls back no earlier than asked, and not at all when cancelled', async () => {
    const startMs = systemClock.nowMs();
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve, true));
    // Timers count whole milliseconds from the start of their turn of the event loop.
    expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(4);
    let called = false;
    const cancel = systemClock.schedule(1, () => (called = true), true);
    cancel();
    cancel();
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve, true));
    expect(called).toBe(false);
  });

  it('does not fire at once for a delay beyond what setTimeout takes', async () => {
    let called = false;
    const cancel = systemClock.schedule(2 ** 31, () => (called = true), false);
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve, true));
    cancel();
    expect(called).toBe(false);
  });
});

describe('sleep', () => {
  it('resolves at its time and rejects with the reason of a signal', async () => {
    const clock = new SimulatedClock();
    const slept = sleep(clock, 100).then(() => clock.nowMs());
    const controller = new AbortController();
    const aborted = sleep(clock, 100, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(sleep(clock, 100, { signal: controller.signal })).rejects.toBe(reason);
    const startMs = clock.nowMs();
    await clock.advance(100);
    expect((await slept) - startMs).toBe(100);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('Gate', () => {
  it('refuses after closing and waits for those inside', async () => {
    const gate = new Gate('thing');
    gate.enter();
    gate.enter();
    let closed = false;
    const closing = gate.close().then(() => {
      closed = true;
    });
    expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED', what: 'thing' }));
    gate.leave();
    await Promise.resolve();
    expect(closed).toBe(false);
    gate.leave();
    await closing;
    expect(closed).toBe(true);
    expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  it('closes at once when nobody is inside', async () => {
    await new Gate('thing').close();
  });
});

describe('seededRandom', () => {
  it('repeats itself for the same seed and spreads over [0, 1)', () => {
    const draw = (seed: number) => Array.from({ length: 10_000 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const numbers = draw(1);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
  });
});
