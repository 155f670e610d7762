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
});
