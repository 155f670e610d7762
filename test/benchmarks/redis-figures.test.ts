import { describe, expect, it } from 'vitest';
import type { Cell } from '../../benchmarks/redis/cells.ts';
import { slotRanges } from '../../benchmarks/redis/cluster.ts';
import { coresOf } from '../../benchmarks/redis/cores.ts';
import { endingOf } from '../../benchmarks/redis/failure/open-loop.ts';
import type { PhaseResult } from '../../benchmarks/redis/failure/phases.ts';
import { addedUp, expectSound, p99Ratio } from '../../benchmarks/redis/failure/report.ts';
import { figuresOf } from '../../benchmarks/redis/figures.ts';
import { goalLines, judge, verdictOf } from '../../benchmarks/redis/goals.ts';
import type { CountedSample } from '../../benchmarks/redis/rounds.ts';

const cell: Cell = { operation: 'get', callers: 50, arrival: 'closed' };

function sample(changes: Partial<CountedSample>): CountedSample {
  return {
    operations: 1_000,
    allOperations: 1_200,
    wrong: 0,
    elapsedMs: 100,
    cpuMicros: 5_000,
    serverCpuMicros: 2_400,
    p50Ms: 1,
    p99Ms: 2,
    ...changes,
  };
}

describe('the figures of a cell', () => {
  const figures = (own: CountedSample[], base: CountedSample[]) => {
    const samples = new Map([
      ['own', own],
      ['base', base],
    ]);
    return figuresOf({ cell, samples }, 'base', ['base', 'absent', 'own']).figures;
  };

  it('take ratios within a round, so that a slow machine in one round changes none', () => {
    const [, own] = figures(
      [sample({ elapsedMs: 50 }), sample({ elapsedMs: 500 }), sample({ elapsedMs: 50 })],
      [sample({ elapsedMs: 100 }), sample({ elapsedMs: 1_000 }), sample({ elapsedMs: 100 })],
    );
    expect(own?.ratio).toEqual({ median: 2, p10: 2, p90: 2 });
  });

  it('count CPU for an operation, of servers with the operations of the lead-in', () => {
    const [base] = figures([sample({})], [sample({})]);
    expect(base?.clientMicros.median).toBe(5);
    expect(base?.serverMicros).toBe(2);
  });

  it('say how many times its own CPU the base takes', () => {
    const [, own] = figures([sample({ cpuMicros: 2_500 })], [sample({})]);
    expect(own?.cpuGain.median).toBe(2);
  });

  it('leave out a client that took no part', () => {
    expect(figures([sample({})], [sample({})]).map(({ name }) => name)).toEqual(['base', 'own']);
  });

  it('cannot be computed without the base', () => {
    expect(() => figuresOf({ cell, samples: new Map([['own', [sample({})]]]) }, 'base', ['own'])).toThrow('get/50');
  });
});

describe('goals', () => {
  it('are met by the median, and a failure within the spread says so', () => {
    expect(verdictOf({ median: 2.5, p10: 2, p90: 3 }, 'at least', 2.5)).toBe('met');
    expect(verdictOf({ median: 2.4, p10: 2, p90: 3 }, 'at least', 2.5)).toBe('not met, within the spread');
    expect(verdictOf({ median: 2.4, p10: 2, p90: 2.45 }, 'at least', 2.5)).toBe('not met');
    expect(verdictOf({ median: 1.1, p10: 0.9, p90: 1.3 }, 'at most', 1.2)).toBe('met');
    expect(verdictOf({ median: 1.3, p10: 1.25, p90: 1.4 }, 'at most', 1.2)).toBe('not met');
  });

  it('judge throughput by the cell, and latency by the worst cell', () => {
    const of = (each: Cell, own: CountedSample) =>
      figuresOf(
        {
          cell: each,
          samples: new Map([
            ['base', [sample({})]],
            ['ShardedCache', [own]],
          ]),
        },
        'base',
        ['base', 'ShardedCache'],
      );
    const judged = judge([
      of(cell, sample({ elapsedMs: 25, p50Ms: 0.5, p99Ms: 1 })),
      of({ operation: 'set', callers: 500, arrival: 'independent' }, sample({ elapsedMs: 80, p50Ms: 0.8, p99Ms: 3 })),
      of({ operation: 'mix', callers: 50, arrival: 'closed' }, sample({ p50Ms: 0.7 })),
    ]);
    expect(judged.map(({ what, verdict }) => [what, verdict])).toEqual([
      ['ShardedCache.get, 50 callers, closed loop', 'met'],
      ['ShardedCache.set, 500 callers, independent', 'not met'],
      ['ShardedCache, p50, worst cell: set~/500', 'met'],
      ['ShardedCache, p99, worst cell: set~/500', 'not met'],
    ]);
    expect(goalLines(judged)[2]).toMatch(/>= 2\.50x +4\.00x +4\.00 to 4\.00 +1\.00x {2}met$/);
  });
});

describe('the failure report', () => {
  const outcomes = (p99Ms: number) => ({ calls: 2, p50Ms: 1, p99Ms, endings: { ok: 2 }, longestMs: 9, unended: 0 });
  const phase = (p99Ms: number) => ({ victim: outcomes(1), others: outcomes(p99Ms) });

  it('compares a phase with the one before it in the same round', () => {
    const ratio = p99Ratio([phase(1), phase(10), phase(2)], [phase(1.1), phase(11), phase(2.2)]);
    expect(ratio.median).toBeCloseTo(1.1);
    expect(ratio.p90).toBeCloseTo(1.1);
  });

  it('adds up how calls ended', () => {
    const other = { ...outcomes(1), endings: { ok: 1, ERR_TIMEOUT: 3 }, longestMs: 501, unended: 1 };
    expect(addedUp([outcomes(1), other])).toEqual({
      calls: 4,
      endings: { ok: 3, ERR_TIMEOUT: 3 },
      longestMs: 501,
      unended: 1,
    });
  });

  it('accepts a node that fails alone, with typed errors, and nothing else', () => {
    const failed = { ...outcomes(1), endings: { ERR_TIMEOUT: 2 } };
    const sound: PhaseResult = { victim: failed, others: outcomes(1) };
    const check = (killed: PhaseResult) => expectSound({ name: 'it', before: [], stopped: [sound], killed });
    expect(() => check(sound)).not.toThrow();
    expect(() => check({ ...sound, victim: { ...failed, unended: 1 } })).toThrow('did not end');
    expect(() => check({ ...sound, others: failed })).toThrow('other nodes');
    expect(() => check(phase(1))).toThrow('noticed');
    const untyped = { ...failed, endings: { ERR_TIMEOUT: 1, 'Connection is closed.': 1 } };
    expect(() => check({ ...sound, victim: untyped })).toThrow('Connection is closed');
  });

  it('names an error by its code, else by its message', () => {
    expect(endingOf(Object.assign(new Error('a'), { code: 'ERR_TIMEOUT' }))).toBe('ERR_TIMEOUT');
    expect(endingOf(new Error('Command timed out'))).toBe('Command timed out');
  });
});

describe('cores and slots', () => {
  it('reads a list of cores as Linux writes it', () => {
    expect(coresOf('0-2,5\n')).toEqual([0, 1, 2, 5]);
    expect(coresOf('3')).toEqual([3]);
    expect(coresOf('')).toEqual([]);
  });

  it('gives each slot to one master', () => {
    expect(slotRanges(4)).toEqual([
      [0, 4_095],
      [4_096, 8_191],
      [8_192, 12_287],
      [12_288, 16_383],
    ]);
    const slots = slotRanges(3).flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
    expect(slots).toEqual(Array.from({ length: 16_384 }, (_, slot) => slot));
  });
});
