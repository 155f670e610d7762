/** What a replay saw, in all and phase by phase: before, during and after a node's absence. Pure. */

import { LatencyHistogram } from './latency-histogram.ts';

/** A stretch of the replay. What is under way when a phase begins counts in it. */
export class Phase {
  readonly name: string;
  readonly startMs: number;
  endMs: number | undefined;

  requests = 0;
  reads = 0;
  hits = 0;
  /** Misses of keys that were stored and not removed. */
  lost = 0;
  writes = 0;
  /** Increments of a value that is not a number, which any cache refuses. */
  refused = 0;
  errors = 0;
  readonly readLatency = new LatencyHistogram();
  readonly writeLatency = new LatencyHistogram();

  constructor(name: string, startMs: number) {
    this.name = name;
    this.startMs = startMs;
  }
}

/** An error that reached the caller. */
export interface ErrorTally {
  count: number;
  /** Of the first one. It names nodes, not keys. */
  readonly message: string;
}

export class ReplayStats {
  readonly phases: Phase[];
  /** Errors that reached the caller, by code. */
  readonly errors = new Map<string, ErrorTally>();

  constructor(firstPhase: string, nowMs: number) {
    this.phases = [new Phase(firstPhase, nowMs)];
  }

  get phase(): Phase {
    return this.phases.at(-1)!;
  }

  beginPhase(name: string, nowMs: number): void {
    this.phase.endMs = nowMs;
    this.phases.push(new Phase(name, nowMs));
  }

  end(nowMs: number): void {
    this.phase.endMs = nowMs;
  }

  noteError(code: string, message: string): void {
    this.phase.errors++;
    const tally = this.errors.get(code);
    if (tally === undefined) this.errors.set(code, { count: 1, message });
    else tally.count++;
  }

  sum(field: 'requests' | 'reads' | 'hits' | 'lost' | 'writes' | 'refused' | 'errors'): number {
    return this.phases.reduce((total, phase) => total + phase[field], 0);
  }

  /** Milliseconds from the start of the first phase to the end of the last. */
  get elapsedMs(): number {
    return this.elapsedUntil(this.phase.endMs ?? this.phase.startMs);
  }

  elapsedUntil(nowMs: number): number {
    return nowMs - this.phases[0]!.startMs;
  }
}
