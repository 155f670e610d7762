/**
 * Who takes part in the lookup benchmark: floors, the ring, and other packages, each with what it must answer.
 *
 * The floors and the ring are checked against `xxhash-wasm` and the ring's table. The other packages must name known
 * nodes, different ones where they name several, and answer in the loop as they do outside of it.
 */

import createHasher from 'xxhash-wasm';
import { positionBits } from '../../src/placement/position.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import type { TimedLoop } from '../support/cpu-rounds.ts';
import { lengthsOf, type Peer, peerKinds, readThree } from '../support/peers.ts';
import { internalised } from '../support/string-kinds.ts';
import { makeWholeKeyHash, readCharacters, spin } from './floors.ts';
import { coldKeys, hotKeys, type KeyCase, keySource } from './key-cases.ts';

export const pointsPerNode = 160;

/**
 * Ids of different lengths, so that the sum of the lengths tells when one node is taken for another. Internalised, so that
 * no contender turns them into another kind of string, by using them as names of properties, for all others too.
 */
export const nodeIds = (count: number) =>
  Array.from({ length: count }, (_, index) => internalised(`cache-${index}${'abcdefg'.slice(index % 7)}`));

export interface Contender {
  readonly name: string;
  readonly body: string;
  readonly subject: unknown;
  /** Asks for the few keys that `hashring` remembers. */
  readonly hot?: boolean;
  /** What the loop's `value` must be for a key. @throws {Error} What is answered cannot be right. */
  expected(key: string): number;
}

/** Everything that answers for these nodes. */
export async function contendersFor(nodeCount: number): Promise<Contender[]> {
  const ids = nodeIds(nodeCount);
  const peers = peerKinds.flatMap((kind) => kind.make(ids, pointsPerNode) ?? []);
  // Of its own, since it remembers what it was asked last.
  const remembering = peerKinds.find(({ name }) => name === 'hashring')!.make(ids, pointsPerNode)!;
  return [
    ...(await ourContenders(ids)),
    ...peers.flatMap((peer) => peerContenders(peer, ids)),
    { ...oneOf(remembering, ids), name: 'hashring, hot keys', hot: true },
  ];
}

/** A loop over the keys of a case. */
export function loopOf(contender: Contender, keyCase: KeyCase): TimedLoop {
  const source = keySource(keyCase, contender.hot ? hotKeys : coldKeys);
  return {
    name: contender.name,
    body: contender.body,
    key: source.key,
    subject: contender.subject,
    keys: source.parts,
    expected: source.texts.map((text) => contender.expected(text)),
  };
}

async function ourContenders(ids: readonly string[]): Promise<Contender[]> {
  const { h32 } = await createHasher();
  const ring = HashRing.create(
    ids.map((id) => ({ id })),
    { virtualNodes: pointsPerNode, replicationFactor: 3 },
  );
  const table = ring.slotTable(3);
  const nameAt = (key: string, place: number) => {
    const slot = Math.floor(h32(key) / (2 ** 32 / ring.slots));
    return ring.nodes[table[slot * 3 + place]!]!.id;
  };
  const owner = (key: string) => nameAt(key, 0).length;
  return [
    { name: 'spin', body: 'value = subject(key);', subject: spin, expected: spin },
    { name: 'making the key', body: 'value = key.length;', subject: undefined, expected: (key) => key.length },
    { name: 'reading the characters', body: 'value = subject(key);', subject: readCharacters, expected: sumOfCodes },
    {
      name: 'XXH32 alone',
      body: 'value = subject(key);',
      subject: await makeWholeKeyHash(),
      expected: (key) => h32(key) | 0,
    },
    {
      name: 'hash alone',
      body: 'value = subject(key, 0);',
      subject: positionBits,
      expected: (key) => h32(key) | 0,
    },
    { name: 'nodeFor', body: 'value = subject.nodeFor(key).length;', subject: ring, expected: owner },
    {
      name: 'preferenceList of 3',
      body: 'value = subject.preferenceList(key, 3)[0].length;',
      subject: ring,
      expected: owner,
    },
    {
      name: 'the same, names read',
      body: readThree('subject.preferenceList(key, 3)'),
      subject: ring,
      expected: (key) => lengthsOf([0, 1, 2].map((place) => nameAt(key, place))),
    },
    {
      name: 'nodeFor, hot keys',
      body: 'value = subject.nodeFor(key).length;',
      subject: ring,
      hot: true,
      expected: owner,
    },
  ];
}

function sumOfCodes(key: string): number {
  let sum = 0;
  for (const unit of key.split('')) sum += unit.charCodeAt(0);
  return sum;
}

function oneOf(peer: Peer, ids: readonly string[]): Contender {
  const { name, subject, oneBody, answersNothing } = peer;
  const known = new Set(answersNothing ? [...ids, ''] : ids);
  const expected = (key: string) => {
    const id = peer.nodeFor(key);
    if (!known.has(id)) throw new Error(`${name} names ${id}, which is not one of the nodes.`);
    return id.length;
  };
  return { name, subject, body: oneBody, expected };
}

function peerContenders(peer: Peer, ids: readonly string[]): Contender[] {
  const one = oneOf(peer, ids);
  if (peer.threeBody === undefined || peer.threeFor === undefined) return [one];
  const known = new Set(ids);
  const expected = (key: string) => {
    const three = peer.threeFor!(key);
    if (new Set(three).size !== 3 || !three.every((id) => known.has(id)))
      throw new Error(`${peer.name} names ${three.join(', ')} for a key.`);
    return lengthsOf(three);
  };
  return [one, { name: `${peer.name}, 3 nodes`, subject: peer.subject, body: peer.threeBody, expected }];
}
