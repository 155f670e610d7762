/**
 * The cache's events. None of them holds a key, a value or a password; only the plan of a cache that is sharded by ranges
 * of raw keys names the bounds of its ranges.
 */

import { EventEmitter } from 'node:events';
import type { RebalancePlan } from '../rebalance/plan.ts';
import type { RoutingEvents } from '../routing/events.ts';
import { expectEvent } from '../runtime/known-events.ts';
import { rethrowLater } from '../runtime/rethrow-later.ts';
import { expectFunction } from '../runtime/validate.ts';

export interface CacheEvents extends RoutingEvents {
  /** A call to the node failed or was late. Reads prefer other nodes until a probe has decided. */
  nodeSuspect: { readonly node: string; readonly error: unknown };
  /** A probe of the node failed. It is not called until one succeeds. */
  nodeDown: { readonly node: string; readonly error: unknown };
  /** A probe of the node succeeded after it was suspect or down. */
  nodeUp: { readonly node: string };
  /** A new topology is in force. */
  rebalance: { readonly epoch: number; readonly change: TopologyChange; readonly plan: RebalancePlan };
  /** The time of a lazy change is over: its previous owners are not asked any more. */
  rebalanceDone: { readonly epoch: number };
}

export type TopologyChange =
  | { readonly kind: 'addNode'; readonly node: string; readonly weight: number }
  | { readonly kind: 'removeNode'; readonly node: string }
  | { readonly kind: 'setWeight'; readonly node: string; readonly weight: number }
  | { readonly kind: 'setPlacement' };

const names: Readonly<Record<keyof CacheEvents, true>> = {
  nodeSuspect: true,
  nodeDown: true,
  nodeUp: true,
  failover: true,
  writeMissed: true,
  replicaHit: true,
  repaired: true,
  spill: true,
  backgroundError: true,
  sharedServer: true,
  nodeDemoted: true,
  rebalance: true,
  rebalanceDone: true,
};

const eventNames = Object.keys(names);

/** `EventEmitter` with the names and shapes of {@link CacheEvents}. */
export class CacheEventEmitter {
  readonly #emitter = new EventEmitter();

  on<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void): this {
    return this.#pass('on', name, listener);
  }

  once<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void): this {
    return this.#pass('once', name, listener);
  }

  off<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void): this {
    return this.#pass('off', name, listener);
  }

  #pass(method: 'on' | 'once' | 'off', name: string, listener: (event: never) => void): this {
    expectEvent(name, eventNames);
    expectFunction('listener', listener);
    this.#emitter[method](name, listener as () => void);
    return this;
  }

  /**
   * A listener that throws must not fail the call that the event reports: its error surfaces as an uncaught exception,
   * as it does for listeners of any other emitter that is fed from a socket.
   */
  protected tell<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    if (this.#emitter.listenerCount(name) === 0) return;
    try {
      this.#emitter.emit(name, event);
    } catch (error) {
      rethrowLater(error);
    }
  }
}
