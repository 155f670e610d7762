/**
 * The npm packages that are compared with the ring, each behind the same few functions, with as many points a node.
 *
 *   hashring         3.2.0  MD5; remembers the last 5,000 keys
 *   ketama           1.0.0  SHA-1
 *   consistent-hash  1.2.2  24 bits of PJW; points from Math.random
 *   node-hashring    1.0.2  MurmurHash3
 *   effect           4.1.0  its HashRing: a hash of Bernstein's kind over the characters; names the nearest point
 *
 * `add` and `remove` do what the package offers for a ring in use. One of them puts the work off until the next lookup.
 */

import { createRequire } from 'node:module';
import * as EffectRing from 'effect/HashRing';
import * as PrimaryKey from 'effect/PrimaryKey';

export interface Peer {
  readonly name: string;
  /** The object that `oneBody` and `threeBody` call `subject`. */
  readonly subject: unknown;
  /** Bodies of a loop, see `cpu-rounds.ts`. */
  readonly oneBody: string;
  /** It has no answer for some keys; an empty text stands for that. */
  readonly answersNothing?: boolean;
  /** Undefined where the package names only one node. */
  readonly threeBody: string | undefined;
  nodeFor(key: string): string;
  threeFor?(key: string): readonly string[];
  add(id: string): void;
  remove(id: string): void;
}

export interface PeerKind {
  readonly name: string;
  /** Undefined where it is left out for so many nodes. */
  make(ids: readonly string[], pointsPerNode: number): Peer | undefined;
}

const require = createRequire(import.meta.url);

interface HashringPackage {
  new (
    ids: readonly string[],
    algorithm: undefined,
    options: object,
  ): {
    get(key: string): string;
    range(key: string, count: number): string[];
    add(id: string): unknown;
    remove(id: string): unknown;
  };
}

interface KetamaPackage {
  HashRing: {
    baseWeight: number;
    new (
      ids: readonly string[],
    ): {
      getNode(key: string): string;
      getNodes(key: string, count: number): string[];
      addNode(id: string): void;
      removeNode(id: string): void;
    };
  };
}

interface ConsistentHashPackage {
  new (options: {
    range: number;
  }): {
    get(key: string): string;
    get(key: string, count: number): string[];
    add(id: string, points: number): unknown;
    remove(id: string): unknown;
  };
}

interface NodeHashringPackage {
  new (
    ids: readonly string[],
    points: number,
  ): {
    findNode(key: string): string | undefined;
    addNode(id: string): void;
    removeNode(id: string): void;
  };
}

/** Body of a loop that reads the three names of a list. */
export const readThree = (call: string) =>
  `const list = ${call}; value = list[0].length + 31 * list[1].length + 961 * list[2].length;`;

/** What that makes of them. */
export const lengthsOf = ([a, b, c]: readonly string[]) => a!.length + 31 * b!.length + 961 * c!.length;

const hashring: PeerKind = {
  name: 'hashring',
  make(ids, pointsPerNode) {
    const Package = require('hashring') as HashringPackage;
    // Each digest gives four points.
    const subject = new Package(ids, undefined, { 'vnode count': pointsPerNode / 4 });
    return {
      name: 'hashring',
      subject,
      oneBody: 'value = subject.get(key).length;',
      threeBody: readThree('subject.range(key, 3)'),
      nodeFor: (key) => subject.get(key),
      threeFor: (key) => subject.range(key, 3),
      add: (id) => subject.add(id),
      remove: (id) => subject.remove(id),
    };
  },
};

const ketama: PeerKind = {
  name: 'ketama',
  make(ids, pointsPerNode) {
    // It sorts all points again for each node: 1,000 nodes take 2.5 seconds.
    if (ids.length >= 1_000) return undefined;
    const { HashRing } = require('ketama') as KetamaPackage;
    HashRing.baseWeight = pointsPerNode;
    const subject = new HashRing(ids);
    return {
      name: 'ketama',
      subject,
      oneBody: 'value = subject.getNode(key).length;',
      threeBody: readThree('subject.getNodes(key, 3)'),
      nodeFor: (key) => subject.getNode(key),
      threeFor: (key) => subject.getNodes(key, 3),
      add: (id) => subject.addNode(id),
      remove: (id) => subject.removeNode(id),
    };
  },
};

const consistentHash: PeerKind = {
  name: 'consistent-hash',
  make(ids, pointsPerNode) {
    const Package = require('consistent-hash') as ConsistentHashPackage;
    // It draws places until it finds a free one, and gives up where too few of its 100,003 are left. The next range that its
    // source calls good is 1,000,003.
    const subject = new Package({ range: ids.length * pointsPerNode > 20_000 ? 1_000_003 : 100_003 });
    const add = (id: string) => void subject.add(id, pointsPerNode);
    for (const id of ids) add(id);
    return {
      name: 'consistent-hash',
      subject,
      oneBody: 'value = subject.get(key).length;',
      threeBody: readThree('subject.get(key, 3)'),
      nodeFor: (key) => subject.get(key),
      threeFor: (key) => subject.get(key, 3),
      add,
      remove: (id) => void subject.remove(id),
    };
  },
};

const nodeHashring: PeerKind = {
  name: 'node-hashring',
  make(ids, pointsPerNode) {
    const Package = require('node-hashring') as NodeHashringPackage;
    const subject = new Package([...ids], pointsPerNode);
    return {
      name: 'node-hashring',
      subject,
      // Where two of its points meet, it is one place short, and the keys before the first point get undefined.
      answersNothing: true,
      oneBody: "value = (subject.findNode(key) ?? '').length;",
      threeBody: undefined,
      nodeFor: (key) => subject.findNode(key) ?? '',
      add: (id) => subject.addNode(id),
      remove: (id) => subject.removeNode(id),
    };
  },
};

/** What effect's ring holds: anything that has a name. */
class Member implements PrimaryKey.PrimaryKey {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  [PrimaryKey.symbol](): string {
    return this.id;
  }
}

const effect: PeerKind = {
  name: 'effect',
  make(ids, pointsPerNode) {
    const ring = EffectRing.make<Member>({ baseWeight: pointsPerNode });
    EffectRing.addMany(
      ring,
      ids.map((id) => new Member(id)),
    );
    return {
      name: 'effect',
      subject: { ring, get: EffectRing.get },
      oneBody: 'value = subject.get(subject.ring, key).id.length;',
      threeBody: undefined,
      nodeFor: (key) => EffectRing.get(ring, key)!.id,
      add: (id) => void EffectRing.add(ring, new Member(id)),
      remove: (id) => void EffectRing.remove(ring, new Member(id)),
    };
  },
};

export const peerKinds: readonly PeerKind[] = [hashring, ketama, consistentHash, nodeHashring, effect];
