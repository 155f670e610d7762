/**
 * Watches the nodes: sends each a PING every `probeIntervalMs` and keeps what the detector makes of the answers.
 *
 * Probing starts with the first call of {@link HealthMonitor.start} and never keeps a process alive. One node's slow
 * probe does not delay another's: each is timed on its own, and a node is never probed twice at once.
 */

import type { Clock } from '../runtime/clock.ts';
import { isNodeFault, nextHealth, type Observation } from './detector.ts';
import type { HealthView, NodeHealth } from './health-view.ts';

export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  /** Called at each change of a node's state; `error` is what brought it about, where something failed. */
  readonly onChange: (node: string, state: NodeHealth, error: unknown) => void;
}

export type Probe = (timeoutMs: number) => Promise<void>;

interface Watched {
  readonly probe: Probe;
  state: NodeHealth;
  fault: unknown;
  probing: boolean;
}

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
    this.#watched.set(node, { probe, state: 'up', fault: undefined, probing: false });
  }

  unwatch(node: string): void {
    this.#watched.delete(node);
    this.#refreshAllUp();
  }

  stateOf(node: string): NodeHealth {
    return this.#watched.get(node)?.state ?? 'up';
  }

  faultOf(node: string): unknown {
    return this.#watched.get(node)?.fault;
  }

  reportFailure(node: string, error: unknown): void {
    if (isNodeFault(error)) this.#observe(node, 'call failed', error);
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
        for (const node of this.#watched.keys()) void this.#probe(node);
        this.#scheduleRound();
      },
      false,
    );
  }

  async #probe(node: string): Promise<void> {
    const watched = this.#watched.get(node);
    if (watched === undefined || watched.probing) return;
    watched.probing = true;
    try {
      await watched.probe(this.#options.probeTimeoutMs);
      this.#observe(node, 'probe passed', undefined, watched);
    } catch (error) {
      this.#observe(node, 'probe failed', error, watched);
    } finally {
      watched.probing = false;
    }
  }

  /** @param probed  The watch that was probed: an answer that comes after the node was replaced says nothing. */
  #observe(node: string, observation: Observation, error: unknown, probed?: Watched): void {
    const watched = this.#watched.get(node);
    if (watched === undefined || this.#stopped || (probed !== undefined && probed !== watched)) return;
    const state = nextHealth(watched.state, observation);
    watched.fault = error;
    if (state === watched.state) return;
    watched.state = state;
    this.#refreshAllUp();
    this.#options.onChange(node, state, error);
  }

  #refreshAllUp(): void {
    this.allUp = [...this.#watched.values()].every(({ state }) => state === 'up');
  }
}
