import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitSteps, type Steps } from '../../src/runtime/step-limit.ts';
import { graceMs } from '../../src/runtime/time-limit.ts';
import { LateClock } from '../support/late-clock.ts';

/** A call whose steps the test makes: each is one question to a server. */
class SteppedCall {
  readonly clock = new LateClock();
  endedMs: number | undefined;
  readonly cancel: () => void;

  #askedMs: number | undefined = 0;
  #bytes = 0;

  constructor(timeoutMs: number, { beganMs = 0, waitMs = 0, laterMs = 0 } = {}) {
    const { clock } = this;
    if (laterMs > 0) clock.pass(laterMs);
    const steps: Steps = {
      sinceMs: () => this.#askedMs ?? clock.nowMs(),
      progress: () => `${this.#bytes}`,
      waitMs,
    };
    this.cancel = limitSteps(clock, { timeoutMs, beganMs, steps: () => steps }, () => {
      this.endedMs = clock.nowMs();
    });
  }

  /** The server has answered, and the next question is asked at once. */
  step(): void {
    this.#bytes++;
    this.#askedMs = this.clock.nowMs();
  }

  /** The same, of which a part of the answer alone is known. */
  bytesCome(): void {
    this.#bytes++;
  }

  /** Nothing is asked of the server. */
  rest(): void {
    this.#askedMs = undefined;
  }

  /** Time goes by, and timers fire when they are due. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    while (this.clock.nextDueMs <= untilMs) {
      this.clock.fireNext();
      await turn();
    }
    this.clock.pass(untilMs - this.clock.nowMs());
  }

  /** The process is held up. What the server has answered by its end is read then, behind the timers. */
  async stall(ms: number, isAnswered: boolean): Promise<void> {
    this.clock.stall(ms);
    while (this.clock.nextDueMs <= this.clock.nowMs()) this.clock.fireNext();
    if (isAnswered && this.endedMs === undefined) this.step();
    await turn();
  }
}

describe('limitSteps', () => {
  it('leaves each step its time under three stalls, and ends the one that the server does not answer', async () => {
    const call = new SteppedCall(300);
    await call.stall(700, true);
    await call.stall(700, true);
    await call.stall(700, true);
    expect(call.endedMs).toBeUndefined();
    // Asked at 2,100 ms.
    await call.pass(1_000);
    expect(call.endedMs).toBe(2_100 + graceMs);
    expect([call.clock.pendingTimers, call.clock.loop.holders]).toEqual([0, 0]);
  });

  it('ends by its own time, whatever its steps do', async () => {
    const call = new SteppedCall(300);
    for (let count = 0; count < 100 && call.endedMs === undefined; count++) {
      await call.pass(7);
      call.step();
    }
    expect(call.endedMs).toBe(300);
  });

  it('gives a step for which the server may wait the time for that too', async () => {
    const call = new SteppedCall(1_300, { waitMs: 1_000 });
    await call.stall(700, true);
    await call.stall(700, true);
    await call.pass(5_000);
    expect(call.endedMs).toBe(1_400 + 1_000 + graceMs);
  });

  it('counts as progress what comes in as the sockets are read', async () => {
    const call = new SteppedCall(300);
    call.clock.stall(700);
    call.clock.fireNext();
    call.bytesCome();
    await turn();
    expect(call.endedMs).toBeUndefined();
    await call.pass(1_000);
    expect(call.endedMs).toBe(700 + graceMs);
  });

  it('counts only the time in which the process ran where nothing is asked of a server', async () => {
    const call = new SteppedCall(300);
    call.rest();
    await call.stall(700, false);
    await call.stall(700, false);
    await call.pass(1_000);
    expect(call.endedMs).toBe(1_400 + 300);
  });

  it('gives a later part of a call enough for a round trip, and no more than that beyond its end', async () => {
    const ends = [];
    for (const laterMs of [0, 200, 290, 300, 320, 400]) {
      const call = new SteppedCall(300, { laterMs });
      await call.pass(1_000);
      ends.push(call.endedMs);
    }
    expect(ends).toEqual([300, 300, 340, 350, 350, 400]);
  });

  it('can be cancelled at any moment, and then watches no longer', async () => {
    const early = new SteppedCall(300);
    early.cancel();
    early.cancel();
    const late = new SteppedCall(300);
    late.clock.fireNext();
    late.cancel();
    await turn();
    for (const { endedMs, clock } of [early, late]) {
      expect([endedMs, clock.pendingTimers, clock.loop.holders]).toEqual([undefined, 0, 0]);
    }
  });

  const stallMs = fc.integer({ min: 150, max: 2_000 });
  const timeoutMs = fc.integer({ min: graceMs, max: 3_000 });

  it('ends no call whose server answers within its time, under any pattern of stalls', async () => {
    const events = fc.array(fc.record({ stallMs, gapMs: fc.integer({ min: 0, max: graceMs - 1 }) }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(timeoutMs, events, async (timeoutMs, stalls) => {
        const call = new SteppedCall(timeoutMs);
        let ranMs = 0;
        for (const { stallMs, gapMs } of stalls) {
          ranMs += gapMs;
          if (ranMs >= timeoutMs) break;
          await call.pass(gapMs);
          await call.stall(stallMs, true);
          expect(call.endedMs).toBeUndefined();
        }
        call.cancel();
      }),
    );
  });

  it('lets no call go on for which the server does nothing more, under any pattern of stalls', async () => {
    const event = fc.record({ stallMs, gapMs: fc.integer({ min: 0, max: 400 }), isAnswered: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(timeoutMs, fc.array(event, { maxLength: 10 }), async (timeoutMs, stalls) => {
        const call = new SteppedCall(timeoutMs);
        let silentSinceMs = 0;
        for (const { stallMs, gapMs, isAnswered } of stalls) {
          if (call.endedMs !== undefined) break;
          await call.pass(gapMs);
          await call.stall(stallMs, isAnswered);
          if (isAnswered) silentSinceMs = call.clock.nowMs();
        }
        const { loop } = call.clock;
        const boundMs = () =>
          Math.max(timeoutMs + loop.longestStallMs(0), silentSinceMs + graceMs + loop.longestStallMs(silentSinceMs));
        await call.pass(Math.max(0, boundMs() - call.clock.nowMs()));
        expect(call.endedMs).toBeDefined();
        const lastStallMs = stalls.reduce((longestMs, { stallMs }) => Math.max(longestMs, stallMs), 0);
        expect(call.endedMs!).toBeLessThanOrEqual(boundMs() + lastStallMs);
        expect(call.endedMs!).toBeLessThanOrEqual(timeoutMs + loop.stalledMs(0));
      }),
      // Failed once.
      {
        examples: [
          [
            176,
            [
              { stallMs: 150, gapMs: 0, isAnswered: false },
              { stallMs: 150, gapMs: 0, isAnswered: true },
            ],
          ],
        ],
      },
    );
  });
});
