/**
 * How every call of a cache begins and ends: what is checked before, and that closing waits for it.
 *
 * Written with `then`, like what most calls pass from here to a node: async functions cost as much as all the rest of a
 * call, and what they leave behind makes collecting garbage slow.
 */

import type { Value } from '../backend/backend.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { NoNodesError } from '../errors/index.ts';
import type { Gate } from '../runtime/gate.ts';
import { type Codec, decode } from './codecs.ts';
import { type CallSettings, parseCallOptions } from './options.ts';

export class Calls {
  readonly gate: Gate;
  readonly #cluster: Cluster;
  readonly #codec: Codec;

  constructor(cluster: Cluster, codec: Codec) {
    this.gate = cluster.gate;
    this.#cluster = cluster;
    this.#codec = codec;
  }

  /**
   * Runs one call.
   * @param known  The names of the options that it takes.
   * @param end    Makes the result of the outcome and leaves the gate: one of the functions below.
   */
  run<Outcome, Result>(
    options: object | undefined,
    known: readonly string[],
    work: (settings: CallSettings) => Promise<Outcome>,
    end: (outcome: Outcome) => Result,
  ): Promise<Result> {
    try {
      const settings = this.enter(options, known);
      try {
        return work(settings).then(end, this.#fail);
      } catch (error) {
        return this.#fail(error);
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly returnResult = <Outcome>(outcome: Outcome): Outcome => {
    this.gate.leave();
    return outcome;
  };

  readonly returnVoid = (): void => this.gate.leave();

  readonly returnDecoded = (bytes: Value | undefined): unknown => {
    this.gate.leave();
    return bytes === undefined ? undefined : decode(this.#codec, bytes);
  };

  readonly #fail = (error: unknown): never => {
    this.gate.leave();
    throw error;
  };

  /** Passes the gate, which is then to be left. */
  enter(options: object | undefined, known: readonly string[]): CallSettings {
    this.gate.enter();
    try {
      const settings = parseCallOptions(options, known);
      settings.signal?.throwIfAborted();
      if (this.#cluster.topology.placement.nodes.length === 0) throw new NoNodesError();
      this.#cluster.monitor.start();
      return settings;
    } catch (error) {
      this.gate.leave();
      throw error;
    }
  }

  /** @throws {ClosedError} */
  expectOpen(): void {
    this.gate.enter();
    this.gate.leave();
  }
}
