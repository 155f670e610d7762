/**
 * Watches the nodes: sends each a PING every `probeIntervalMs` and keeps what the detector makes of the answers.
 *
 * Probing starts, at once, with the first call of {@link HealthMonitor.start}, and never keeps a process alive. One node's slow
 * probe does not delay another's: each is timed on its own, and a node is never probed twice at once. A probe that takes
 * longer than the interval is followed by the next one at once.
 */

import type { Clock } from '../runtime/clock.ts';
import {
  type HealthRecord,
  isExcuse,
  isNodeFault,
  isSilence,
  newRecord,
  nextHealth,
  type Observation,
  strikesUntilDown,
} from './detector.ts';
import { tellingFault } from './faults.ts';
import type { HealthView, NodeHealth, NodeReport, ServingHealth } from './health-view.ts';

export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  /** How long calls to a node may take; see `detector.ts`. */
  readonly patienceMs: number;
  /** Called at each change of a node's state; `error` says what is wrong, where something is. */
  readonly onChange: (node: string, state: ServingHealth, error: unknown) => void;
}

export type Probe = (timeoutMs: number) => Promise<void>;

interface Watched {
  readonly probe: Probe;
  record: HealthRecord;
  /** A probe has passed since the node is watched. */
  hasAnswered: boolean;
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
  /** Told of each outcome of a probe, and of the end. */
  readonly #listeners = new Set<() => void>();
  #started = false;
  #stopped = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /** Watches a node from now on. It counts as up until something says otherwise. */
  watch(node: string, probe: Probe): void {
    const fresh = {
      record: newRecord,
      hasAnswered: false,
      fault: undefined,
      sinceMs: undefined,
      probing: 'no' as const,
    };
    const watched: Watched = { probe, ...fresh, onUnanswered: new Set() };
    this.#watched.set(node, watched);
    if (this.#started && !this.#stopped) void this.#probe(node, watched);
  }

  unwatch(node: string): void {
    this.#watched.delete(node);
    this.#refreshAllUp();
  }

  stateOf(node: string): ServingHealth {
    return this.#watched.get(node)?.record.state ?? 'up';
  }

  healthOf(node: string): NodeHealth {
    const state = this.stateOf(node);
    return state === 'up' && this.#watched.get(node)?.hasAnswered !== true ? 'unknown' : state;
  }

  reportOf(node: string): NodeReport {
    const state = this.healthOf(node);
    const watched = this.#watched.get(node);
    return state === 'up' ? upReport : { state, sinceMs: watched?.sinceMs, fault: watched?.fault };
  }

  reportFailure(node: string, error: unknown): void {
    if (isNodeFault(error)) this.#observe(node, { kind: 'call failed' }, error);
  }

  onUnanswered(node: string, listener: () => void): () => void {
    const listeners = this.#watched.get(node)?.onUnanswered;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /** The node has answered a PING that was sent for another reason: as good as a probe that has passed. */
  noteAnswer(node: string): void {
    this.#observe(node, { kind: 'probe passed' }, undefined);
    this.#tellListeners();
  }

  /** Starts probing. Idempotent. */
  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    // Behind the call that started it, which is not to wait for the probes.
    this.#scheduleRound(0);
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Ends probing for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#tellListeners();
  }

  /** Calls `listener` after each probe that has ended, and when probing ends for good. Returns how to stop that. */
  onProbed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #scheduleRound(delayMs: number): void {
    const { clock, probeIntervalMs } = this.#options;
    this.#cancelTimer = clock.schedule(
      delayMs,
      () => {
        for (const [node, watched] of this.#watched) {
          if (watched.probing === 'no') void this.#probe(node, watched);
          else watched.probing = 'yes, and the next one is due';
        }
        this.#scheduleRound(probeIntervalMs);
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
      const kind = isExcuse(error) ? 'probe excused' : 'probe failed';
      const observation = { kind, beganMs, endedMs: clock.nowMs(), gotNoAnswer: isSilence(error) } as const;
      this.#observe(node, observation, error, watched);
    }
    const isDue = (watched.probing as Watched['probing']) === 'yes, and the next one is due';
    watched.probing = 'no';
    this.#tellListeners();
    if (isDue && !this.#stopped && this.#watched.get(node) === watched) void this.#probe(node, watched);
  }

  /** @param probed  The watch that was probed: an answer that comes after the node was replaced says nothing. */
  #observe(node: string, observation: Observation, error: unknown, probed?: Watched): void {
    const watched = this.#watched.get(node);
    if (watched === undefined || this.#stopped || (probed !== undefined && probed !== watched)) return;
    const { state: before } = watched.record;
    watched.hasAnswered ||= observation.kind === 'probe passed';
    watched.record = nextHealth(watched.record, observation, this.#options.patienceMs);
    const { state } = watched.record;
    const isUp = state === 'up' && watched.hasAnswered;
    watched.fault = isUp ? undefined : tellingFault(watched.fault, error);
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
