import { setImmediate as loopTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TickingLoopWatch } from '../../src/runtime/loop-watch.ts';

/** A loop whose turns the test makes, and whose clock shows what the test says. */
function loop() {
  let nowMs = 0;
  let due: { readonly atMs: number; readonly callback: () => void } | undefined;
  const watch = new TickingLoopWatch({
    nowMs: () => nowMs,
    schedule: (delayMs, callback) => {
      due = { atMs: nowMs + delayMs, callback };
      return () => undefined;
    },
  });
  /** Time goes by, and at its end the timer fires if it is due. */
  const turn = (ms: number) => {
    nowMs += ms;
    if (due === undefined || due.atMs > nowMs) return;
    const { callback } = due;
    due = undefined;
    callback();
  };
  return {
    watch,
    turn,
    busy: (ms: number) => {
      nowMs += ms;
    },
    isTicking: () => due !== undefined,
  };
}

describe('the watch of the event loop', () => {
  it('knows how long the process was held up', () => {
    const { watch, turn } = loop();
    watch.hold();
    for (const ms of [25, 25, 700, 25, 300]) turn(ms);
    expect(watch.longestStallMs(0)).toBe(700);
    expect(watch.longestStallMs(750)).toBe(300);
    expect(watch.longestStallMs(1_075)).toBe(0);
  });

  it('counts only the part of a stall in which a call was in flight', () => {
    const { watch, turn } = loop();
    watch.hold();
    turn(25);
    turn(700);
    expect(watch.longestStallMs(225)).toBe(500);
    expect(watch.longestStallMs(225, 325)).toBe(100);
    expect(watch.longestStallMs(0, 20)).toBe(0);
  });

  it('knows since when the sockets have been read', async () => {
    const { watch, turn } = loop();
    watch.hold();
    expect(watch.readMs).toBe(Number.NEGATIVE_INFINITY);
    turn(25);
    turn(700);
    // Both timers came in this turn, before the sockets.
    expect(watch.readMs).toBe(Number.NEGATIVE_INFINITY);
    await loopTurn();
    expect(watch.readMs).toBe(725);
  });

  it('says how long turns take at present, ignoring a single long one', () => {
    const { watch, turn, busy } = loop();
    watch.hold();
    expect(watch.turnMs).toBe(25);
    turn(700);
    expect(watch.turnMs).toBe(25);
    busy(400);
    // Its tick is still to come.
    expect(watch.turnMs).toBe(400);
    turn(0);
    expect(watch.turnMs).toBe(400);
    turn(25);
    expect(watch.turnMs).toBe(25);
  });

  it('takes turns of 100 ms for ordinary load', () => {
    const { watch, turn } = loop();
    watch.hold();
    for (let count = 0; count < 10; count++) turn(100);
    expect([watch.longestStallMs(0), watch.turnMs]).toEqual([0, 100]);
  });

  it('sees a stall in the turn in which it ends, before its own timer has come, and does not count it twice', () => {
    const { watch, turn, busy } = loop();
    watch.hold();
    turn(25);
    busy(300);
    expect(watch.longestStallMs(0)).toBe(300);
    busy(200);
    expect(watch.longestStallMs(0)).toBe(500);
    turn(0);
    expect(watch.longestStallMs(0)).toBe(500);
  });

  it('goes on for a while after it was released, and then lets go of its timer', () => {
    const { watch, turn, isTicking } = loop();
    watch.hold();
    watch.release();
    turn(25);
    expect(isTicking()).toBe(true);
    for (let count = 0; count < 100; count++) turn(25);
    expect(isTicking()).toBe(false);
    watch.hold();
    expect(isTicking()).toBe(true);
  });

  it('does not count the time in which it did not watch', () => {
    const { watch, busy, turn } = loop();
    busy(5_000);
    watch.hold();
    turn(25);
    expect(watch.longestStallMs(0)).toBe(0);
  });
});
