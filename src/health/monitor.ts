/**
 * Watches the nodes: sends each a PING every `probeIntervalMs` and keeps what the detector makes of the answers.
 *
 * Probing starts with the first call of {@link HealthMonitor.start} and never keeps a process alive. One node's slow
 * probe does not delay another's: each is timed on its own, and a node is never probed twice at once. A probe that takes
 * longer than the interval is followed by the next one at once.
 */

import type { Clock } from '../runtime/clock.ts';
import {
  type HealthRecord,
  isNodeFault,
  isSilence,
  newRecord,
  nextHealth,
  type Observation,
  strikesUntilDown,
} from './detector.ts';
import { tellingFault } from './faults.ts';
import type { HealthView, NodeHealth, NodeReport } from './health-view.ts';

export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  /** How long calls to a node may take; see `detector.ts`. */
  readonly patienceMs: number;
  /** Called at each change of a node's state; `error` says what is wrong, where something is. */
  readonly onChange: (node: string, state: NodeHealth, error: unknown) => void;
}

export type Probe = (timeoutMs: number) => Promise<void>;

interface Watched {
  readonly probe: Probe;
  record: HealthRecord;
  fault: unknown;
  /** Unix time in milliseconds; undefined while the node is up. */
  sinceMs: number | undefined;
  probing: 'no' | 'yes' | 'yes, and the next one is due';
  readonly onUnanswered: Set<() => void>;
}

const upReport: NodeReport = Object.freeze({ state: 'up', sinceMs: undefined, fault: undefined });

export class HealthMonitor implements HealthView {
  allUp = true;

  readonly #options: HealthMonitorOptions;
  readonly #watched = new Map<string, Watched>();
  #cancelTimer: (() => void) | undefined;
  #started = false;
  #stopped = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /** Watches a node from now on. It counts as up until something says otherwise. */
  watch(node: string, probe: Probe): void {
    const fresh = { record: newRecord, fault: undefined, sinceMs: undefined, probing: 'no' as const };
    this.#watched.set(node, { probe, ...fresh, onUnanswered: new Set() });
  }

  unwatch(node: string): void {
    this.#watched.delete(node);
    this.#refreshAllUp();
  }

  stateOf(node: string): NodeHealth {
    return this.#watched.get(node)?.record.state ?? 'up';
  }

  reportOf(node: string): NodeReport {
    const watched = this.#watched.get(node);
    if (watched === undefined || watched.record.state === 'up') return upReport;
    return { state: watched.record.state, sinceMs: watched.sinceMs, fault: watched.fault };
  }

  reportFailure(node: string, error: unknown): void {
    if (isNodeFault(error)) this.#observe(node, { kind: 'call failed' }, error);
  }

  onUnanswered(node: string, listener: () => void): () => void {
    const listeners = this.#watched.get(node)?.onUnanswered;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /** Starts probing. Idempotent. */
  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    this.#scheduleRound();
  }

  /** Ends probing for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #scheduleRound(): void {
    const { clock, probeIntervalMs } = this.#options;
    this.#cancelTimer = clock.schedule(
      probeIntervalMs,
      () => {
        for (const [node, watched] of this.#watched) {
          if (watched.probing === 'no') void this.#probe(node, watched);
          else watched.probing = 'yes, and the next one is due';
        }
        this.#scheduleRound();
      },
      false,
    );
  }

  async #probe(node: string, watched: Watched): Promise<void> {
    const { clock, probeTimeoutMs } = this.#options;
    watched.probing = 'yes';
    const beganMs = clock.nowMs();
    try {
      await watched.probe(probeTimeoutMs);
      this.#observe(node, { kind: 'probe passed' }, undefined, watched);
    } catch (error) {
      const observation = { beganMs, endedMs: clock.nowMs(), gotNoAnswer: isSilence(error) };
      this.#observe(node, { kind: 'probe failed', ...observation }, error, watched);
    }
    const isDue = (watched.probing as Watched['probing']) === 'yes, and the next one is due';
    watched.probing = 'no';
    if (isDue && !this.#stopped && this.#watched.get(node) === watched) void this.#probe(node, watched);
  }

  /** @param probed  The watch that was probed: an answer that comes after the node was replaced says nothing. */
  #observe(node: string, observation: Observation, error: unknown, probed?: Watched): void {
    const watched = this.#watched.get(node);
    if (watched === undefined || this.#stopped || (probed !== undefined && probed !== watched)) return;
    const { state: before } = watched.record;
    watched.record = nextHealth(watched.record, observation, this.#options.patienceMs);
    const { state } = watched.record;
    watched.fault = state === 'up' ? undefined : tellingFault(watched.fault, error);
    if (state !== before) this.#change(node, watched);
    if (watched.record.strikes < strikesUntilDown || observation.kind !== 'probe failed') return;
    for (const listener of [...watched.onUnanswered]) listener();
  }

  #change(node: string, watched: Watched): void {
    const { state } = watched.record;
    if (state === 'up') watched.sinceMs = undefined;
    else watched.sinceMs ??= this.#options.clock.wallMs();
    this.#refreshAllUp();
    this.#options.onChange(node, state, watched.fault);
  }

  #refreshAllUp(): void {
    this.allUp = [...this.#watched.values()].every(({ record }) => record.state === 'up');
  }
}
