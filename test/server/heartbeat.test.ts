import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/server/link/heartbeat.ts';
import { LateClock } from '../support/late-clock.ts';

const periodMs = 1_000;

/** A heart whose questions the test answers, and what happens to it, with the time. */
function heart() {
  const clock = new LateClock();
  const events: string[] = [];
  const answers: ((isRefusal?: boolean) => void)[] = [];
  const bytes = { read: 0 };
  const heartbeat = new Heartbeat({
    ...{ clock, periodMs },
    ask() {
      events.push(`asked at ${clock.nowMs()}`);
      return new Promise<void>((resolve, reject) => {
        answers.push((isRefusal = false) => (isRefusal ? reject(new Error('NOPERM')) : resolve()));
      });
    },
    bytesRead: () => bytes.read,
    onSilence: () => events.push(`silent at ${clock.nowMs()}`),
  });
  /** The next timer comes, so much too late, and what it brings about in the same turn of the event loop. */
  const beat = async (latenessMs = 0) => {
    clock.fireNext(latenessMs);
    await turn();
  };
  return { clock, events, answers, bytes, heartbeat, beat };
}

describe('a heartbeat', () => {
  it('asks every period for as long as answers come, refusals among them', async () => {
    const { clock, events, answers, heartbeat, beat } = heart();
    heartbeat.start();
    await beat();
    answers[0]!();
    await turn();
    await beat();
    answers[1]!(true);
    await turn();
    await beat();
    expect(events).toEqual(['asked at 1000', 'asked at 2000', 'asked at 3000']);
    heartbeat.stop();
    expect([clock.pendingTimers, clock.loop.holders]).toEqual([0, 0]);
  });

  it('reports silence once, when the next time comes, and stops', async () => {
    const { clock, events, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    await beat();
    expect(events).toEqual(['asked at 0', 'silent at 1000']);
    expect([clock.pendingTimers, clock.loop.holders]).toEqual([0, 0]);
  });

  it('treats incoming bytes as a sign of life when the answer is late behind them', async () => {
    const { events, bytes, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    bytes.read = 6_000_000;
    await beat();
    await beat();
    expect(events).toEqual(['asked at 0', 'asked at 1000', 'silent at 2000']);
  });

  it('does not count the time for which the process was held up', async () => {
    const { clock, events, answers, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    clock.stall(5_000);
    await beat();
    expect(events).toEqual(['asked at 0']);
    answers[0]!();
    await turn();
    await beat();
    expect(events).toEqual(['asked at 0', 'asked at 6000']);
  });

  it('reads an answer that waits in the socket before it reports silence', async () => {
    const { clock, events, answers, heartbeat } = heart();
    heartbeat.startByAsking();
    clock.fireNext();
    // In the same turn, as by a socket that is read.
    answers[0]!();
    await turn();
    expect(events).toEqual(['asked at 0', 'asked at 1000']);
  });

  it('does not wait for ever: of two stalls, one counts', async () => {
    const { clock, events, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    clock.stall(5_000);
    await beat();
    clock.stall(5_000);
    await beat();
    expect(events).toEqual(['asked at 0', 'silent at 10000']);
  });

  it('ignores an answer to a question from before its restart', async () => {
    const { events, answers, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    heartbeat.startByAsking();
    answers[0]!();
    await turn();
    await beat();
    expect(events).toEqual(['asked at 0', 'asked at 0', 'silent at 1000']);
  });

  it('waits one period for its first question when it is started without one', async () => {
    const { clock, events, heartbeat, beat } = heart();
    heartbeat.startByAsking();
    heartbeat.start();
    expect(clock.pendingTimers).toBe(1);
    await beat();
    expect(events).toEqual(['asked at 0', 'asked at 1000']);
  });
});
