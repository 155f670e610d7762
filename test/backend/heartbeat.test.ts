import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/backend/connections/heartbeat.ts';
import { LateClock } from '../support/late-clock.ts';

const periodMs = 1_000;

/** A heart whose questions the test answers, and what happens to it, with the time. */
function heart() {
  const clock = new LateClock();
  const events: string[] = [];
  const answers: ((isRefusal?: boolean) => void)[] = [];
  const heartbeat = new Heartbeat({
    ...{ clock, periodMs },
    ask() {
      events.push(`asked at ${clock.nowMs()}`);
      return new Promise<void>((resolve, reject) => {
        answers.push((isRefusal = false) => (isRefusal ? reject(new Error('NOPERM')) : resolve()));
      });
    },
    onSilence: () => events.push(`silent at ${clock.nowMs()}`),
  });
  return { clock, events, answers, heartbeat };
}

describe('a heartbeat', () => {
  it('asks every period for as long as answers come, refusals among them', async () => {
    const { clock, events, answers, heartbeat } = heart();
    heartbeat.start();
    clock.fireNext();
    answers[0]!();
    await turn();
    clock.fireNext();
    answers[1]!(true);
    await turn();
    clock.fireNext();
    expect(events).toEqual(['asked at 1000', 'asked at 2000', 'asked at 3000']);
    heartbeat.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells of silence when the next time comes, once, and stops', () => {
    const { clock, events, heartbeat } = heart();
    heartbeat.startByAsking();
    clock.fireNext();
    clock.fireNext();
    expect(events).toEqual(['asked at 0', 'silent at 1001']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives an answer that waits unread in the socket, as the process was held up, as much time again', async () => {
    const { clock, events, answers, heartbeat } = heart();
    heartbeat.startByAsking();
    clock.fireNext(5_000);
    expect(events).toEqual(['asked at 0']);
    answers[0]!();
    await turn();
    clock.fireNext();
    expect(events).toEqual(['asked at 0', 'asked at 11000']);
  });

  it('gives it that time only once', () => {
    const { clock, events, heartbeat } = heart();
    heartbeat.startByAsking();
    clock.fireNext(5_000);
    clock.fireNext(5_000);
    expect(events).toEqual(['asked at 0', 'silent at 16000']);
  });

  it('takes an answer to a question of before it was started anew for none', async () => {
    const { clock, events, answers, heartbeat } = heart();
    heartbeat.startByAsking();
    heartbeat.startByAsking();
    answers[0]!();
    await turn();
    clock.fireNext();
    clock.fireNext();
    expect(events).toEqual(['asked at 0', 'asked at 0', 'silent at 1001']);
  });

  it('waits a period for its first question where it is started without one', () => {
    const { clock, events, heartbeat } = heart();
    heartbeat.startByAsking();
    heartbeat.start();
    expect(clock.pendingTimers).toBe(1);
    clock.fireNext();
    expect(events).toEqual(['asked at 0', 'asked at 1000']);
  });
});
