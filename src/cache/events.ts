/** The cache's events. None of them holds a key, a value or a password, but for what {@link ClusterEvents} says of plans. */

import { EventEmitter } from 'node:events';
import type { ClusterEvents } from '../cluster/events.ts';
import { expectEvent } from '../runtime/known-events.ts';
import { rethrowLater } from '../runtime/rethrow-later.ts';
import { expectFunction } from '../runtime/validate.ts';

export interface CacheEvents extends ClusterEvents {}

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
