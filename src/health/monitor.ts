/**
 * Watches the nodes: sends each a PING every `probeIntervalMs` and keeps what the detector makes of the answers.
 *
 * Probing starts, at once, with the first call of {@link HealthMonitor.start}, and never keeps a process alive. One node's slow
 * probe does not delay another's: each is timed on its own, and a node is never probed twice at once. A probe that takes
 * longer than the interval is followed by the next one at once.
 */

import type { HealthView, NodeHealth, NodeReport, NodeTraffic, ServingHealth } from './health-view.ts';
import { NodeWatch, type Probe, type WatchListener, type WatchSettings } from './node-watch.ts';

export interface HealthMonitorOptions extends WatchSettings {
  readonly probeIntervalMs: number;
  /** Called at each change of a node's state; `error` says what is wrong, where something is. */
  readonly onChange: (node: string, state: ServingHealth, error: unknown) => void;
}

const unknownReport: NodeReport = Object.freeze({ state: 'unknown' });

export class HealthMonitor implements HealthView {
  version = 0;

  readonly #options: HealthMonitorOptions;
  readonly #watches = new Map<string, NodeWatch>();
  #cancelTimer: (() => void) | undefined;
  /** Told of each outcome of a probe, and of the end. */
  readonly #listeners = new Set<() => void>();
  readonly #watchListener: WatchListener = {
    changed: (watch, before) => this.#onChange(watch, before),
    probed: () => this.#tellListeners(),
  };
  #started = false;
  #stopped = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /**
   * Watches a node from now on, in place of one of the same id. It counts as up until something says otherwise.
   * @returns What is to hear of the calls to the node.
   */
  watch(node: string, probe: Probe): NodeWatch {
    this.#watches.get(node)?.end();
    const watch = new NodeWatch(node, probe, this.#options, this.#watchListener);
    this.#watches.set(node, watch);
    this.version++;
    if (this.#stopped) watch.end();
    else if (this.#started) watch.probe();
    return watch;
  }

  unwatch(node: string): void {
    this.#watches.get(node)?.end();
    this.#watches.delete(node);
    this.version++;
  }

  stateOf(node: string): ServingHealth {
    return this.#watches.get(node)?.servingState ?? 'up';
  }

  healthOf(node: string): NodeHealth {
    return this.#watches.get(node)?.state ?? 'unknown';
  }

  trafficOf(node: string): NodeTraffic | undefined {
    return this.#watches.get(node)?.traffic;
  }

  reportOf(node: string): NodeReport {
    return this.#watches.get(node)?.report ?? unknownReport;
  }

  illNodes(): ReadonlyMap<string, ServingHealth> {
    const states = [...this.#watches.values()].map(({ node, servingState }) => [node, servingState] as const);
    return new Map(states.filter(([, state]) => state !== 'up'));
  }

  /** Tells what is wrong with the node of this id at present, from who does not know its watch. */
  reportFailure(node: string, error: unknown): void {
    this.#watches.get(node)?.noteFault(error);
  }

  onUnanswered(node: string, listener: () => void): () => void {
    return this.#watches.get(node)?.onUnanswered(listener) ?? (() => undefined);
  }

  /** Probes the node for somebody who waits for the answer, and rejects with what it failed with. */
  async ask(node: string, timeoutMs: number): Promise<void> {
    await this.#watches.get(node)?.ask(timeoutMs);
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
    for (const watch of this.#watches.values()) watch.end();
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
        for (const watch of this.#watches.values()) watch.probe();
        this.#scheduleRound(probeIntervalMs);
      },
      false,
    );
  }

  #onChange({ node, servingState: state, report }: NodeWatch, before: NodeHealth): void {
    this.version++;
    // That a node of which nothing was known answers is no news: it was called all along.
    if (state === 'up' && before === 'unknown') return;
    this.#options.onChange(node, state, report.fault);
  }
}
