import type { SessionData } from 'express-session';
import { describe, expect, it } from 'vitest';
import { SessionTtl } from '../../src/adapters/session-ttl.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const nowMs = 1_800_000_000_000;
const clock = { ...systemClock, wallMs: () => nowMs };

const expiringAt = (expires: unknown) => ({ cookie: { expires } }) as unknown as SessionData;

describe('the time that a session is kept', () => {
  it.each([
    ['a day hence', new Date(nowMs + 86_400_000), 86_400],
    ['a part of a second hence', new Date(nowMs + 1), 1],
    ['now', new Date(nowMs), 0],
    ['in the past', new Date(nowMs - 1_500), -1],
    ['as text', new Date(nowMs + 60_000).toISOString(), 60],
    ['as Unix time', nowMs + 2_000, 2],
    ['not at all', null, 100],
    ['not said', undefined, 100],
    ['as false, which is for ever', false, 100],
  ])('follows a cookie that expires %s', (_, expires, seconds) => {
    expect(new SessionTtl(100, clock).secondsOf(expiringAt(expires)) + 0).toBe(seconds);
  });

  it('is the option for a session without a cookie', () => {
    expect(new SessionTtl(100, clock).secondsOf({} as SessionData)).toBe(100);
  });

  it('is not guessed from an expiry that is no date', () => {
    for (const expires of ['soon', new Date(Number.NaN)]) {
      expect(() => new SessionTtl(100, clock).secondsOf(expiringAt(expires))).toThrow(/^session\.cookie\.expires: /);
    }
  });

  it('is what the function says, in whole seconds', () => {
    expect(new SessionTtl(() => 1.2, clock).secondsOf(expiringAt(null))).toBe(2);
    expect(new SessionTtl(() => -5, clock).secondsOf(expiringAt(null))).toBe(-5);
    for (const wrong of [Number.NaN, Infinity, '5', undefined]) {
      expect(() => new SessionTtl(() => wrong as number, clock).secondsOf(expiringAt(null))).toThrow('options.ttl()');
    }
  });

  it.each([0, -1, Number.NaN, Infinity, '5', null])('refuses the option %s', (ttl) => {
    expect(() => new SessionTtl(ttl as number)).toThrow(/^options\.ttl: expected a finite number above 0/);
  });
});
