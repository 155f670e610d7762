import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graceMs, limitTime, stepTimeMs } from '../../src/runtime/time-limit.ts';
import { LateClock } from '../support/late-clock.ts';

describe('limitTime', () => {
  function limited(timeoutMs: number) {
    const clock = new LateClock();
    const ended: number[] = [];
    const cancel = limitTime(clock, timeoutMs, () => ended.push(clock.nowMs()), true);
    return { clock, ended, cancel };
  }

  it('ends at its time, once the sockets have been read', async () => {
    const { clock, ended } = limited(300);
    clock.fireNext();
    expect(ended).toEqual([]);
    await turn();
    expect(ended).toEqual([300]);
    expect([clock.pendingTimers, clock.loop.holders]).toEqual([0, 0]);
  });

  it('does not count a stall', async () => {
    const { clock, ended } = limited(300);
    clock.stall(2_000);
    clock.fireNext();
    await turn();
    expect(ended).toEqual([]);
    clock.fireNext();
    await turn();
    expect(ended).toEqual([2_300]);
  });

  it('ends however often the process is held up: the longest stall alone does not count', async () => {
    const { clock, ended } = limited(300);
    for (let count = 0; count < 4 && ended.length === 0; count++) {
      clock.stall(700);
      clock.fireNext();
      await turn();
    }
    expect(ended).toEqual([1_400]);
  });

  it('can be cancelled at any moment, and then watches no longer', async () => {
    const early = limited(300);
    early.cancel();
    early.cancel();
    expect([early.clock.pendingTimers, early.clock.loop.holders]).toEqual([0, 0]);
    const late = limited(300);
    late.clock.fireNext();
    late.cancel();
    await turn();
    expect([late.ended, late.clock.loop.holders]).toEqual([[], 0]);
  });
});

describe('stepTimeMs', () => {
  /** For a step of a call that has run for so long, and was held up besides. */
  function timeAt(ranMs: number, timeoutMs: number, stallsMs: readonly number[] = []): number {
    const clock = new LateClock();
    for (const stallMs of stallsMs) clock.stall(stallMs);
    clock.pass(ranMs);
    return stepTimeMs(clock, timeoutMs, timeoutMs);
  }

  it('gives a step what is left of its call', () => {
    expect(timeAt(300, 1_000)).toBe(700);
  });

  it('gives a step enough for a round trip where less is left, once for the call', () => {
    expect([990, 1_000, 1_020, 1_049, 1_060].map((nowMs) => timeAt(nowMs, 1_000))).toEqual([50, 50, 30, 1, 1]);
  });

  it('does not count a stall', () => {
    expect(timeAt(100, 1_000, [2_000])).toBe(900);
  });

  it('gives that time again in full, however shortly after the end several stalls have brought the step', () => {
    expect([650, 690, 700, 710, 2_000].map((stallMs) => timeAt(10, 600, [700, stallMs]))).toEqual(
      Array(5).fill(graceMs),
    );
  });

  it('never gives more than the call has, nor less than 1 ms', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 5_000 }), (nowMs, timeoutMs) => {
        const stepMs = timeAt(nowMs, timeoutMs);
        return stepMs >= 1 && stepMs <= Math.max(timeoutMs - nowMs, Math.min(graceMs, timeoutMs));
      }),
    );
  });
});
