/** When calls are ended that have run out of time, by order and without a real clock. */

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Call, CallLimits, type CommandSpec, Departure } from '../../src/server/sending/call.ts';
import { CallList } from '../../src/server/sending/call-list.ts';
import { Deadlines } from '../../src/server/sending/deadlines.ts';
import { LateClock } from '../support/late-clock.ts';

const spec: CommandSpec = { operation: 'get', name: 'get', isWrite: false, decode: (reply) => reply };

function setUp() {
  const clock = new LateClock();
  const calls = new CallList();
  const ended: string[] = [];
  const connection = { progress: '' };
  const end = (call: Call) => {
    calls.delete(call);
    ended.push(`${call.args[0]} at ${clock.nowMs()}`);
  };
  const deadlines = new Deadlines(calls, clock, end, () => connection.progress);
  const begin = (name: string, timeoutMs: number, wasSent = true, longestMs?: number) => {
    const call = new Call(spec, [name], new CallLimits(timeoutMs, clock.nowMs() + timeoutMs, undefined, longestMs));
    calls.add(call);
    if (wasSent) send(call);
    deadlines.add(call);
    return call;
  };
  const send = (call: Call) => {
    call.wasSent = true;
    call.departure = new Departure();
    call.departure.atMs = clock.nowMs();
  };
  /** The timer that is due comes, and the turn of the event loop in which it came is over. */
  const next = async (latenessMs = 0) => {
    clock.fireNext(latenessMs);
    await turn();
  };
  return { clock, calls, ended, deadlines, connection, begin, send, next };
}

describe('the deadlines of a connection', () => {
  it('end each call at its own time, by one timer', async () => {
    const { clock, ended, begin, next } = setUp();
    for (const timeoutMs of [200, 20, 100]) begin(`of ${timeoutMs}`, timeoutMs);
    expect(clock.pendingTimers).toBe(1);
    for (let count = 0; count < 3; count++) await next();
    expect(ended).toEqual(['of 20 at 20', 'of 100 at 100', 'of 200 at 200']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('read the sockets once before they end anything, so a reply that came in time counts', async () => {
    const { clock, calls, ended, begin } = setUp();
    const answered = begin('answered', 300);
    begin('unanswered', 300);
    clock.stall(2_000);
    clock.fireNext();
    calls.delete(answered);
    await turn();
    expect(ended).toEqual(['unanswered at 2000']);
  });

  it('read the sockets for a call whose time ends while they were being read for another', async () => {
    const { clock, calls, ended, begin } = setUp();
    begin('first', 300);
    const second = begin('second', 500);
    clock.fireNext();
    // The first one's reading was before this.
    clock.stall(700);
    await turn();
    expect(ended).toEqual(['first at 1000']);
    calls.delete(second); // Its reply had come.
    await turn();
    expect(ended).toEqual(['first at 1000']);
  });

  it('end a call that has had its chance at once where all turns are long', async () => {
    const { clock, ended, begin, next } = setUp();
    begin('first', 300);
    clock.schedule(25, () => undefined);
    clock.stall(200);
    await next();
    clock.stall(200);
    clock.fireNext();
    // Without another look at the sockets, which might come a turn later.
    expect(ended).toEqual(['first at 400']);
  });

  it('do not move without bound, however often the process is held up', async () => {
    const { clock, ended, begin, next } = setUp();
    begin('first', 300);
    for (let count = 0; count < 20 && ended.length === 0; count++) {
      clock.stall(700);
      await next();
    }
    expect(ended).toEqual(['first at 700']);
  });

  it('keep a call that could be sent only after its time open for 50 ms, and no longer', async () => {
    const { clock, ended, begin, send, next } = setUp();
    const call = begin('late', 300, false);
    clock.stall(700);
    await next();
    clock.stall(700);
    send(call);
    for (let count = 0; count < 2; count++) await next();
    expect(ended).toEqual([]);
    await next();
    expect(ended).toEqual(['late at 1450']);
  });

  it('leave a call that a stall kept from being sent its whole time', async () => {
    const { clock, ended, begin, send, next } = setUp();
    const call = begin('late', 300, false);
    clock.stall(700);
    send(call);
    await next();
    await next();
    expect(ended).toEqual(['late at 1000']);
  });

  it('wait on for a connection that comes into being, while stalls are what holds it up', async () => {
    const { clock, ended, begin, next, connection } = setUp();
    begin('waiting', 300, false);
    clock.stall(700);
    await next();
    for (const progress of ['connected', 'let in']) {
      clock.stall(700);
      clock.fireNext(1);
      connection.progress = progress;
      await turn();
      expect(ended).toEqual([]);
    }
    // Once the sockets have been read, and nothing has moved.
    clock.stall(700);
    await next(1);
    expect(ended).toHaveLength(1);
  });

  it('give a call that waits behind others on a connection that came up late 50 ms for each of their replies', async () => {
    const { clock, ended, begin, send, next, connection } = setUp();
    const call = begin('waiting', 300, false);
    clock.stall(700);
    await next();
    clock.stall(700);
    // No stall comes any more, and whoever asks for it later finds the last one over.
    for (const progress of ['let in', 'answer to others', 'another']) {
      clock.fireNext();
      connection.progress = progress;
      await turn();
      clock.pass(1);
    }
    expect(ended).toEqual([]);
    send(call);
    for (let count = 0; count < 2; count++) await next();
    expect(ended).toEqual([]);
    await next();
    expect(ended).toHaveLength(1);
  });

  it('give a call that was sent as long, where what comes before its reply is coming in', async () => {
    const { clock, ended, begin, next, connection } = setUp();
    begin('behind a long one', 300);
    for (let count = 0; count < 3; count++) {
      clock.stall(700);
      clock.fireNext();
      connection.progress += 'more';
      await turn();
    }
    expect(ended).toEqual([]);
    await next();
    await next();
    expect(ended).toHaveLength(1);
  });

  it('end a call whose connection goes on moving once it has had its whole time without any stall', async () => {
    const { clock, ended, begin, connection } = setUp();
    begin('unanswered', 300);
    clock.stall(700);
    clock.stall(500);
    while (ended.length === 0) {
      clock.fireNext();
      connection.progress += 'more';
      await turn();
    }
    expect(ended).toEqual(['unanswered at 1500']);
  });

  it('give a later step of an operation the time that stalls took before it, as long as something moves', async () => {
    const { clock, ended, begin, connection, next } = setUp();
    // No stall comes from now on.
    begin('waiting', 50, false, 300);
    begin('of an operation that no stall has held up', 50, false);
    for (let count = 0; count < 4; count++) {
      clock.fireNext();
      connection.progress += 'more';
      await turn();
    }
    expect(ended).toEqual(['of an operation that no stall has held up at 50']);
    await next();
    expect(ended).toHaveLength(1);
    await next();
    expect(ended[1]).toBe('waiting at 175');
  });

  it('stop with the connection', async () => {
    const { clock, deadlines, begin } = setUp();
    begin('first', 300);
    clock.fireNext();
    deadlines.stop();
    await turn();
    expect(clock.pendingTimers).toBe(0);
  });
});
