/**
 * What is known of one node: its state, which the detector makes of probes and calls, and how its calls are going.
 *
 * It belongs to the node and not to its id. When the node has left, its watch hears nothing any more, and a call to it that
 * ends later says nothing of a node that has come under the same id.
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
import type { NodeHealth, NodeReport, ServingHealth } from './health-view.ts';
import type { NodeObserver } from './node-observer.ts';

export type Probe = (timeoutMs: number) => Promise<void>;

export interface WatchSettings {
  readonly clock: Clock;
  readonly probeTimeoutMs: number;
  /** How long calls to a node may take; see `detector.ts`. */
  readonly patienceMs: number;
}

/** Who hears of a node's health. */
export interface WatchListener {
  /** What `reportOf` says of the node's state is not what it was. */
  changed(watch: NodeWatch, before: NodeHealth): void;
  /** A probe has ended. */
  probed(): void;
}

/** How the calls to a node are going. */
export interface NodeTraffic {
  /** Calls that have begun and not ended. */
  readonly inFlight: number;
  /** When a call was last answered, on the monotonic clock; undefined: none was. */
  readonly lastAnsweredMs: number | undefined;
  /** How long answered calls took, smoothed: the last one counts 1/8, as in RFC 6298; undefined: none was answered. */
  readonly latencyMs: number | undefined;
}

const never = Number.NEGATIVE_INFINITY;

const upReport: NodeReport = Object.freeze({ state: 'up', sinceMs: undefined, fault: undefined });

export class NodeWatch implements NodeObserver {
  readonly #probe: Probe;
  readonly #settings: WatchSettings;
  readonly #listener: WatchListener;
  readonly #whenUnanswered = new Set<() => void>();
  #record: HealthRecord = newRecord;
  /** A probe has passed. */
  #hasAnswered = false;
  #fault: unknown;
  /** Unix time in milliseconds; undefined while the node is up. */
  #sinceMs: number | undefined;
  #probing: 'no' | 'yes' | 'yes, and the next one is due' = 'no';
  #hasEnded = false;
  #inFlight = 0;
  #lastAnsweredMs = never;
  #latencyMs = 0;

  constructor(
    readonly node: string,
    probe: Probe,
    settings: WatchSettings,
    listener: WatchListener,
  ) {
    this.#probe = probe;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** As far as it decides how the node is called. */
  get servingState(): ServingHealth {
    return this.#record.state;
  }

  get state(): NodeHealth {
    const { state } = this.#record;
    return state === 'up' && !this.#hasAnswered ? 'unknown' : state;
  }

  get report(): NodeReport {
    const { state } = this;
    return state === 'up' ? upReport : { state, sinceMs: this.#sinceMs, fault: this.#fault };
  }

  get traffic(): NodeTraffic {
    const hasAnswered = this.#lastAnsweredMs !== never;
    return {
      inFlight: this.#inFlight,
      lastAnsweredMs: hasAnswered ? this.#lastAnsweredMs : undefined,
      latencyMs: hasAnswered ? this.#latencyMs : undefined,
    };
  }

  began(): void {
    this.#inFlight++;
  }

  answered(beganMs: number, endedMs: number): void {
    this.#inFlight--;
    const latencyMs = endedMs - beganMs;
    this.#latencyMs = this.#lastAnsweredMs === never ? latencyMs : this.#latencyMs + (latencyMs - this.#latencyMs) / 8;
    this.#lastAnsweredMs = endedMs;
  }

  failed(error: unknown): void {
    this.#inFlight--;
    this.noteFault(error);
  }

  abandoned(): void {
    this.#inFlight--;
  }

  /** What is wrong with the node, from who called it past the door, or found it out otherwise. */
  noteFault(error: unknown): void {
    if (isNodeFault(error)) this.#observe({ kind: 'call failed' }, error);
  }

  /** The node has answered a PING that was sent for another reason: as good as a probe that has passed. */
  noteAnswer(): void {
    this.#observe({ kind: 'probe passed' }, undefined);
    this.#listener.probed();
  }

  /** Calls `listener` when probes go unanswered; see `HealthView`. Returns how to stop that. */
  onUnanswered(listener: () => void): () => void {
    this.#whenUnanswered.add(listener);
    return () => void this.#whenUnanswered.delete(listener);
  }

  /** Probes the node now, or as soon as the probe under way has ended. */
  probe(): void {
    if (this.#hasEnded) return;
    if (this.#probing === 'no') void this.#probeNow();
    else this.#probing = 'yes, and the next one is due';
  }

  /** From now on nothing is heard of the node, and its state stays as it is. */
  end(): void {
    this.#hasEnded = true;
  }

  async #probeNow(): Promise<void> {
    const { clock, probeTimeoutMs } = this.#settings;
    this.#probing = 'yes';
    const beganMs = clock.nowMs();
    try {
      await this.#probe(probeTimeoutMs);
      this.#observe({ kind: 'probe passed' }, undefined);
    } catch (error) {
      const kind = isExcuse(error) ? 'probe excused' : 'probe failed';
      this.#observe({ kind, beganMs, endedMs: clock.nowMs(), gotNoAnswer: isSilence(error) }, error);
    }
    const isDue = (this.#probing as string) === 'yes, and the next one is due';
    this.#probing = 'no';
    this.#listener.probed();
    if (isDue) this.probe();
  }

  #observe(observation: Observation, error: unknown): void {
    if (this.#hasEnded) return;
    const before = this.state;
    this.#hasAnswered ||= observation.kind === 'probe passed';
    this.#record = nextHealth(this.#record, observation, this.#settings.patienceMs);
    const { state } = this;
    this.#fault = state === 'up' ? undefined : tellingFault(this.#fault, error);
    if (state === 'up') this.#sinceMs = undefined;
    else if (state !== 'unknown') this.#sinceMs ??= this.#settings.clock.wallMs();
    if (state !== before) this.#listener.changed(this, before);
    if (this.#record.strikes < strikesUntilDown || observation.kind !== 'probe failed') return;
    for (const listener of [...this.#whenUnanswered]) listener();
  }
}
