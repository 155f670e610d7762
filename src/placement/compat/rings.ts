/**
 * Rings that others run, as functions: the very same node for the very same key. `docs/migrating.md` says which setting of
 * which program each of them is.
 */

import { expectObject, expectOptions } from '../../runtime/validate.ts';
import type { NodeInput } from '../node.ts';
import { GoRedisRing } from './go-redis.ts';
import { ketamaKind } from './ketama.ts';
import { type LibmemcachedOptions, libmemcachedKind } from './libmemcached.ts';
import { type NpmHashringOptions, npmHashringKind } from './npm-hashring.ts';
import { PointRing } from './point-ring.ts';
import { type TwemproxyOptions, twemproxyKind } from './twemproxy.ts';

/**
 * The ring of libketama. Ids are addresses as its servers file has them, weights its memory sizes (integers). It has no
 * options.
 * @throws {InvalidArgumentError} A node is wrong, or a weight is no integer.
 */
export function ketama(nodes: Iterable<NodeInput>, options: Readonly<Record<never, never>> = {}): PointRing {
  return PointRing.create(nodes, ketamaKind.make(expectObject('options', options)));
}

/**
 * The ring of libmemcached. Ids are host:port, in the order in which the servers are added.
 * @throws {InvalidArgumentError} A node or option is wrong, or a weight is no integer, or not 1 on a plain ring.
 */
export function libmemcached(nodes: Iterable<NodeInput>, options: LibmemcachedOptions = {}): PointRing {
  return PointRing.create(nodes, libmemcachedKind.make(expectObject('options', options)));
}

/**
 * The ring of the npm package `hashring`. Ids are the servers as they are given to it, in the same order.
 * @throws {InvalidArgumentError} A node or option is wrong.
 */
export function npmHashring(nodes: Iterable<NodeInput>, options: NpmHashringOptions = {}): PointRing {
  return PointRing.create(nodes, npmHashringKind.make(expectObject('options', options)));
}

/**
 * The ring of twemproxy with `distribution: ketama`. Ids are host:port, or the servers' names with `label: 'name'`.
 * @throws {InvalidArgumentError} A node or option is wrong, or a weight is no integer.
 */
export function twemproxy(nodes: Iterable<NodeInput>, options: TwemproxyOptions = {}): PointRing {
  return PointRing.create(nodes, twemproxyKind.make(expectObject('options', options)));
}

/**
 * The ring of go-redis, which is rendezvous hashing. Ids are the names in its `RingOptions.Addrs`. It has no options.
 * @throws {InvalidArgumentError} A node is wrong, or a weight is not 1.
 */
export function goRedis(nodes: Iterable<NodeInput>, options: Readonly<Record<never, never>> = {}): GoRedisRing {
  expectOptions('options', options, []);
  return GoRedisRing.create(nodes);
}
