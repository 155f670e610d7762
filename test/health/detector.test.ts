import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ClosedError,
  CredentialsError,
  MissingDependencyError,
  NodeReplyError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
  WrongServerError,
} from '../../src/errors/index.ts';
import {
  type HealthRecord,
  isNodeFault,
  isUnanswered,
  newRecord,
  type Observation,
  observe,
} from '../../src/health/detector.ts';
import '../support/seed.ts';

const patienceMs = 2_000;
const refused = new NodeUnavailableError('a', 'ping');
const silent = new TimeoutError('a', 'ping', 200);
const excuse = new TimeoutError('a', 'ping', 200, { isBehindWrites: true });

/** What can be observed, each an interval of 500 ms after the one before. */
const observations = {
  answer: (times) => ({ kind: 'call answered', ...times }),
  call: (times) => ({ kind: 'call failed', error: silent, ...times }),
  'call of its own fault': (times) => ({ kind: 'call failed', error: new NodeReplyError('a', 'get', 'OOM'), ...times }),
  found: (times) => ({ kind: 'fault found', error: refused, ...times }),
  pass: (times) => ({ kind: 'probe passed', ...times }),
  refused: (times) => ({ kind: 'probe failed', error: refused, ...times }),
  silent: (times) => ({ kind: 'probe failed', error: silent, ...times }),
  excused: (times) => ({ kind: 'probe failed', error: excuse, ...times }),
  'no ioredis': (times) => ({
    kind: 'probe failed',
    error: new MissingDependencyError('ioredis', 'RedisBackend', '>=5'),
    ...times,
  }),
} satisfies Record<string, (times: { beganMs: number; endedMs: number; wallMs: number }) => Observation>;
type Name = keyof typeof observations;

const observationAt = (name: Name, index: number) => {
  const beganMs = index * 500;
  return observations[name]({ beganMs, endedMs: beganMs + 200, wallMs: 1_000_000 + beganMs + 200 });
};

function recordsAfter(...names: readonly Name[]): HealthRecord[] {
  let record = newRecord;
  return names.map((name, index) => {
    record = observe(record, observationAt(name, index), patienceMs);
    return record;
  });
}

const statesAfter = (...names: readonly Name[]) => recordsAfter(...names).map(({ state }) => state);

describe('observe', () => {
  it('makes a node suspect by a failed call, however many fail, and up by a probe that passes', () => {
    expect(statesAfter('call', 'call', 'call', 'call', 'pass')).toEqual([
      ...['suspect', 'suspect', 'suspect', 'suspect'],
      'up',
    ]);
  });

  it('takes a node for down when three probes in a row found that it cannot be reached', () => {
    expect(statesAfter('refused', 'call', 'refused', 'refused', 'call', 'pass')).toEqual([
      ...['suspect', 'suspect', 'suspect', 'down', 'down'],
      'up',
    ]);
  });

  it('leaves a node as it is after a probe that says nothing of it, and remembers since when it has been silent', () => {
    expect(statesAfter('excused', 'excused', 'excused', 'excused')).toEqual(Array(4).fill('unknown'));
    expect(statesAfter('pass', 'excused', 'excused', 'excused')).toEqual(Array(4).fill('up'));
    expect(statesAfter('call', 'silent', 'excused', 'excused')).toEqual(Array(4).fill('suspect'));
    expect(statesAfter('excused', 'excused', 'excused', 'excused', 'silent', 'silent', 'silent').at(-1)).toBe('down');
    expect(statesAfter('refused', 'refused', 'excused', 'refused').at(-1)).toBe('down');
  });

  it('begins to count anew when a probe passes', () => {
    expect(statesAfter('refused', 'refused', 'pass', 'refused', 'refused').at(-1)).toBe('suspect');
  });

  it('takes a silent node for down only when it was silent for as long as calls may take', () => {
    // The fourth ends 1,700 ms after the first began, and the fifth 2,200 ms.
    expect(statesAfter('silent', 'silent', 'silent', 'silent', 'silent')).toEqual([
      ...['suspect', 'suspect', 'suspect', 'suspect'],
      'down',
    ]);
  });

  it('says that a node goes unanswered after three probes that failed, also where it is not down yet', () => {
    expect(recordsAfter('silent', 'silent', 'silent', 'pass').map(isUnanswered)).toEqual([false, false, true, false]);
    expect(recordsAfter('refused', 'refused', 'refused', 'call').map(isUnanswered)).toEqual([false, false, true, true]);
    expect(recordsAfter('call', 'call', 'call', 'call').some(isUnanswered)).toBe(false);
  });

  it('keeps since when a node is not up, and what says best what is wrong', () => {
    expect(recordsAfter('pass', 'call', 'refused', 'refused', 'refused').at(-1)).toEqual({
      ...{ state: 'down', fault: refused, sinceMs: 1_000_700 },
    });
  });

  const anyNames = fc.array(fc.constantFrom(...(Object.keys(observations) as Name[])), { maxLength: 30 });

  it('changes nothing by a call that was answered, nor by one that failed by its own fault', () => {
    fc.assert(
      fc.property(anyNames, fc.constantFrom<Name[]>('answer', 'call of its own fault'), (names, name) => {
        const record = recordsAfter(...names).at(-1) ?? newRecord;
        expect(observe(record, observationAt(name, names.length), patienceMs)).toBe(record);
      }),
    );
  });

  it('is up after every probe that passes, and unknown only as long as nothing was heard', () => {
    fc.assert(
      fc.property(anyNames, (names) => {
        const hasWord = names.map((_, index) =>
          names.slice(0, index + 1).some((name) => ['call', 'found', 'pass', 'refused', 'silent'].includes(name)),
        );
        for (const [index, { state }] of recordsAfter(...names).entries()) {
          if (names[index] === 'pass') expect(state).toBe('up');
          expect(state === 'unknown').toBe(!hasWord[index]);
        }
      }),
    );
  });

  it('says what is wrong and since when of a node that is suspect or down, and since when of no other', () => {
    fc.assert(
      fc.property(anyNames, (names) => {
        let sinceMs: number | undefined;
        for (const [index, record] of recordsAfter(...names).entries()) {
          const isIll = record.state === 'suspect' || record.state === 'down';
          sinceMs = isIll ? (sinceMs ?? 1_000_000 + index * 500 + 200) : undefined;
          expect('sinceMs' in record ? record.sinceMs : undefined).toBe(sinceMs);
          if (isIll) expect(record.fault).toBeInstanceOf(Error);
          if (record.state === 'up') expect(record).not.toHaveProperty('fault');
        }
      }),
    );
  });

  it('never takes a node from down to suspect, and to down only by a probe', () => {
    fc.assert(
      fc.property(anyNames, (names) => {
        const states = ['unknown', ...statesAfter(...names)];
        for (const [index, name] of names.entries()) {
          const [before, after] = [states[index], states[index + 1]];
          if (before === 'down') expect(after).toBe(name === 'pass' ? 'up' : 'down');
          else if (after === 'down') expect(['refused', 'silent']).toContain(name);
        }
      }),
    );
  });
});

describe('isNodeFault', () => {
  it('holds for lost connections, late answers and what no connection can be had for, and not for what a healthy server may say', () => {
    expect(isNodeFault(new NodeUnavailableError('a', 'get'))).toBe(true);
    expect(isNodeFault(new TimeoutError('a', 'get', 1))).toBe(true);
    expect(isNodeFault(new UnknownOutcomeError('a', 'set'))).toBe(true);
    expect(isNodeFault(new WrongServerError('a', 'set', 'cluster mode'))).toBe(true);
    expect(isNodeFault(new CredentialsError('a', 'set'))).toBe(true);
    expect(isNodeFault(new NodeReplyError('a', 'get', 'WRONGTYPE'))).toBe(false);
    expect(isNodeFault(new ClosedError('backend'))).toBe(false);
    expect(isNodeFault(new Error('other'))).toBe(false);
  });
});
