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
  it('gives a step what is left of its call', () => {
    expect(stepTimeMs(700, 1_000)).toBe(700);
  });

  it('gives a step enough for a round trip where less is left, once for the call', () => {
    expect([10, 0, -20, -49, -60].map((leftMs) => stepTimeMs(leftMs, 1_000))).toEqual([50, 50, 30, 1, 1]);
  });

  it('gives it anew where only a stall can have brought the step so long after the end', () => {
    expect(stepTimeMs(-700, 1_000)).toBe(graceMs);
  });

  it('never gives more than the call has, nor less than 1 ms', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }), (leftMs, timeoutMs) => {
        const stepMs = stepTimeMs(leftMs, timeoutMs);
        return stepMs >= 1 && stepMs <= Math.max(leftMs, Math.min(graceMs, timeoutMs));
      }),
    );
  });
});
