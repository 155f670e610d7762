import { describe, expect, it } from 'vitest';
import { Fleet, type RoutingPolicy } from '../../src/routing/fleet.ts';
import { LateClock } from '../support/late-clock.ts';

describe('a call of several steps', () => {
  /** Of one with 600 ms for all of them. */
  function fleetWith(clock: LateClock): Fleet {
    return new Fleet({} as never, { timeoutMs: 600 } as RoutingPolicy, {} as never, clock, () => undefined);
  }

  it('may begin another step until it has had its time without any stall, however many there were', () => {
    const clock = new LateClock();
    const fleet = fleetWith(clock);
    for (let count = 0; count < 8; count++) clock.stall(700);
    clock.pass(599);
    expect(fleet.isInTime(600)).toBe(true);
    clock.pass(1);
    expect(fleet.isInTime(600)).toBe(false);
  });

  it('shares what is left of its time among the steps that it may still take', () => {
    const clock = new LateClock();
    const fleet = fleetWith(clock);
    expect(fleet.stepLimits(undefined, undefined)).toEqual({ timeoutMs: 600 });
    clock.pass(300);
    expect(fleet.stepLimits(600, undefined)).toEqual({ timeoutMs: 300 });
    expect(fleet.stepLimits(600, undefined, 2)).toEqual({ timeoutMs: 150 });
  });

  it('leaves its later steps, as long as the node goes on answering, what stalls have taken of its time', () => {
    const clock = new LateClock();
    const fleet = fleetWith(clock);
    clock.pass(10);
    clock.stall(700);
    clock.stall(700);
    expect(fleet.stepLimits(600, undefined)).toEqual({ timeoutMs: 50, progressTimeoutMs: 590 });
    clock.pass(200);
    expect(fleet.stepLimits(600, undefined, 2)).toEqual({ timeoutMs: 25, progressTimeoutMs: 390 });
    clock.pass(380);
    expect(fleet.stepLimits(600, undefined)).toEqual({ timeoutMs: 50 });
  });
});
