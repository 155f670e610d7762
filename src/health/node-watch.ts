/**
 * What is known of one node: its state, which the detector makes of probes and calls, and how its calls are going.
 *
 * It belongs to the node and not to its id. When the node has left, its watch hears nothing any more, and a call to it that
 * ends later says nothing of a node that has come under the same id.
 */

import { serverReportIn } from '../backend/server-report.ts';
import type { Clock } from '../runtime/clock.ts';
import { type HealthRecord, isExcuse, isUnanswered, newRecord, type Observation, observe } from './detector.ts';
import type { NodeHealth, NodeReport, NodeState, NodeTraffic, ProbeReport, ServingHealth } from './health-view.ts';
import type { NodeObserver } from './node-observer.ts';

/** Sends the node a PING. What that resolves with may say something of the server. */
export type Probe = (timeoutMs: number) => Promise<unknown>;

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

const never = Number.NEGATIVE_INFINITY;

/** With more calls in flight than that, one answer of so many is timed: to look at the clock for each is 2 % of what a call costs. */
const timedShare = 8;

export class NodeWatch implements NodeObserver {
  readonly #probe: Probe;
  readonly #settings: WatchSettings;
  readonly #listener: WatchListener;
  readonly #whenUnanswered = new Set<() => void>();
  #record: HealthRecord = newRecord;
  #lastPassed: ProbeReport = {};
  #probing: 'no' | 'yes' | 'yes, and the next one is due' = 'no';
  #hasEnded = false;
  #inFlight = 0;
  #lastAnsweredMs = never;
  #latencyMs = 0;
  /** Answers since the last one that was timed. */
  #untimed = 0;

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
    const { state } = this.#record;
    return state === 'unknown' ? 'up' : state;
  }

  get state(): NodeHealth {
    return this.#record.state;
  }

  get report(): NodeReport {
    return { ...stateOf(this.#record), ...this.#lastPassed };
  }

  get traffic(): NodeTraffic {
    const hasAnswered = this.#lastAnsweredMs !== never;
    return { inFlight: this.#inFlight, latencyMs: hasAnswered ? this.#latencyMs : undefined };
  }

  began(): void {
    this.#inFlight++;
  }

  answered(beganMs: number): void {
    const isBusy = this.#inFlight-- > timedShare;
    const isTimed = !isBusy || ++this.#untimed === timedShare;
    if (isTimed) this.#observe({ kind: 'call answered', beganMs, endedMs: this.#noteLatency(beganMs) });
  }

  #noteLatency(beganMs: number): number {
    const endedMs = this.#settings.clock.nowMs();
    const latencyMs = endedMs - beganMs;
    this.#latencyMs = this.#lastAnsweredMs === never ? latencyMs : this.#latencyMs + (latencyMs - this.#latencyMs) / 8;
    this.#lastAnsweredMs = endedMs;
    this.#untimed = 0;
    return endedMs;
  }

  failed(error: unknown, beganMs: number, endedMs: number): void {
    this.#inFlight--;
    this.#observe({ kind: 'call failed', error, beganMs, endedMs, wallMs: this.#settings.clock.wallMs() });
  }

  abandoned(): void {
    this.#inFlight--;
  }

  /** Notes what is wrong with the node, found otherwise than by a call through the door or a probe. */
  noteFault(error: unknown): void {
    this.#observe({ kind: 'fault found', error, wallMs: this.#settings.clock.wallMs() });
  }

  /**
   * Probes the node for a caller who waits for the answer. If it passes, it counts as any probe. If it fails, it counts as a failed
   * call and not as a failed probe: its time limit is the caller's.
   */
  async ask(timeoutMs: number): Promise<void> {
    const beganMs = this.#settings.clock.nowMs();
    try {
      this.#notePassed(beganMs, await this.#probe(timeoutMs));
      this.#listener.probed();
    } catch (error) {
      this.noteFault(error);
      throw error;
    }
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
      this.#notePassed(beganMs, await this.#probe(probeTimeoutMs));
    } catch (error) {
      this.#observe({ kind: 'probe failed', error, beganMs, endedMs: clock.nowMs(), wallMs: clock.wallMs() });
      if (isUnanswered(this.#record) && !isExcuse(error)) this.#tellUnanswered();
    }
    const isDue = (this.#probing as string) === 'yes, and the next one is due';
    this.#probing = 'no';
    this.#listener.probed();
    if (isDue) this.probe();
  }

  #notePassed(beganMs: number, answer: unknown): void {
    const endedMs = this.#settings.clock.nowMs();
    if (!this.#hasEnded) this.#lastPassed = { roundTripMs: endedMs - beganMs, server: serverReportIn(answer) };
    this.#observe({ kind: 'probe passed', beganMs, endedMs });
  }

  #observe(observation: Observation): void {
    if (this.#hasEnded) return;
    const { state } = this.#record;
    this.#record = observe(this.#record, observation, this.#settings.patienceMs);
    if (this.#record.state !== state) this.#listener.changed(this, state);
  }

  #tellUnanswered(): void {
    if (this.#hasEnded) return;
    for (const listener of [...this.#whenUnanswered]) listener();
  }
}

/** Without what only the detector needs. */
function stateOf(record: HealthRecord): NodeState {
  const { state } = record;
  if (state === 'up') return { state };
  if (state === 'unknown') return { state, fault: record.fault };
  return { state, fault: record.fault, sinceMs: record.sinceMs };
}
