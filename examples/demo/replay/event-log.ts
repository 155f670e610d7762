/**
 * What the cache tells of itself during a replay: changes of health as they occur, detours counted.
 *
 * A detour (a failover, a replica's hit) is an event per call, hundreds of thousands for a node that is gone for long: the
 * first of each kind is shown, all are counted.
 */

import type { CacheEvents, ShardedCache } from 'shardring';

const shown = ['nodeSuspect', 'nodeDown', 'nodeUp'] as const;
const countedOnly = ['failover', 'replicaHit', 'repaired', 'writeMissed', 'spill', 'backgroundError'] as const;

export type EventName = (typeof shown)[number] | (typeof countedOnly)[number];

export class EventLog {
  readonly #counts = new Map<EventName, number>();

  /** @param tell  Shows one line of the timeline. */
  constructor(cache: Pick<ShardedCache, 'on'>, tell: (text: string) => void) {
    for (const name of shown) {
      cache.on(name, ({ node }: { readonly node: string }) => {
        this.#count(name);
        tell(`${name}: ${node}`);
      });
    }
    for (const name of countedOnly) {
      cache.on(name, (event: CacheEvents[typeof name]) => {
        if (this.#count(name) === 1) tell(`first ${name}: ${nodesOf(event)}`);
      });
    }
  }

  /** In the order of the names above; those that never came count 0. */
  counts(): readonly (readonly [EventName, number])[] {
    return [...shown, ...countedOnly].map((name) => [name, this.#counts.get(name) ?? 0]);
  }

  #count(name: EventName): number {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count;
  }
}

function nodesOf(event: CacheEvents[(typeof countedOnly)[number]]): string {
  if ('failed' in event) return `${event.node} answered for ${event.failed}`;
  if ('missedAt' in event) return `${event.node} had what ${event.missedAt} missed`;
  if ('source' in event) return `${event.node}, from ${event.source}`;
  if ('down' in event) return `${event.nodes} stand in for ${event.down}`;
  return event.node ?? 'no node';
}
