/**
 * The ring of the npm package `hashring` (version 3.2.0), which the npm package `memcached` stands on too.
 *
 * Source: A. Kazemier, https://github.com/3rd-Eden/node-hashring.
 *
 *   label      the server as it was given; its host alone where its port is `defaultPort`
 *   counts[n]  floor(weight of n / weight of all * vnodes * N) in doubles; for a node with a count of its own, that one
 *   points     `replicas` words of the digest of the label, low byte first
 *   position   the first word of the digest of the key
 *
 * A point owns up to and including itself. Array.prototype.sort keeps the order of equal points, and the weights are
 * added up in the order of the list, so that the order of the nodes is part of the mapping. A `preferenceList` of nodes
 * without zones is what `range(key, count)` returns there.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { type DigestName, digestBytes, digestOf, digestWord } from '../../hash/digest.ts';
import { expectInteger, expectKnown, expectObject, expectOneOf } from '../../runtime/validate.ts';
import type { NodeId, PlacementNode } from '../node.ts';
import { labelledPoints, type PointRule, type RuleKind, sumOf } from './point-rule.ts';

export interface NpmHashringOptions {
  /** Its `vnode count`: labels of a node of mean weight. Integer in [1, 65536]; default 40. */
  readonly vnodes?: number | undefined;
  /** Its `vnodes` of single servers, by id. Integers in [1, 65536]. The weight of such a node still counts for the others. */
  readonly nodeVnodes?: Readonly<Record<NodeId, number>> | undefined;
  /** Points a label. Integer from 1 to a quarter of the digest's bytes; default 4. `compatibility: 'hash_ring'` is 3. */
  readonly replicas?: number | undefined;
  /** Digest of labels and keys; default `md5`. */
  readonly algorithm?: DigestName | undefined;
  /** Its `default port`, which labels leave out. Integer in [1, 65535]; default none. */
  readonly defaultPort?: number | undefined;
}

const maxVnodes = 65_536;
const optionNames = ['vnodes', 'nodeVnodes', 'replicas', 'algorithm', 'defaultPort'];
const algorithms = Object.keys(digestBytes) as DigestName[];

export const npmHashringKind: RuleKind = {
  placement: 'npm-hashring/1',
  parameters: optionNames,
  make(options): PointRule {
    const given = expectKnown('options', options, optionNames);
    const vnodes = expectInteger('vnodes', given.vnodes ?? 40, 1, maxVnodes);
    const ownVnodes = parseNodeVnodes(given.nodeVnodes ?? {});
    const algorithm = expectOneOf('algorithm', given.algorithm ?? 'md5', algorithms);
    const replicas = expectInteger('replicas', given.replicas ?? 4, 1, digestBytes[algorithm] / 4);
    const defaultPort = given.defaultPort == null ? null : expectInteger('defaultPort', given.defaultPort, 1, 65_535);
    return {
      placement: 'npm-hashring/1',
      parameters: { vnodes, nodeVnodes: Object.fromEntries(ownVnodes), replicas, algorithm, defaultPort },
      keyHash: `${algorithm}/1`,
      isOrdered: true,
      positionOf: (key) => digestWord(digestOf(algorithm, key), 0),
      pointsOf: (nodes) =>
        labelledPoints(
          nodes.map(({ id }) => labelOf(id, defaultPort)),
          labelCounts(nodes, vnodes, ownVnodes),
          replicas,
          (text, positions, offset) => {
            const digest = digestOf(algorithm, text);
            for (let word = 0; word < replicas; word++) positions[offset + word] = digestWord(digest, word);
          },
        ),
    };
  },
};

/** Sorted by id, so that the same counts make the same checksum. */
function parseNodeVnodes(input: unknown): Map<NodeId, number> {
  const entries = Object.entries(expectObject('nodeVnodes', input)).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [id] of entries) {
    // As the name of a field it would not survive being written as JSON and read back.
    if (id === '__proto__') throw new InvalidArgumentError('nodeVnodes', 'ids other than `__proto__`', id, true);
  }
  return new Map(entries.map(([id, count]) => [id, expectInteger(`nodeVnodes of ${id}`, count, 1, maxVnodes)]));
}

/** The package takes what stands before the first colon for the host and what follows it, to the next, for the port. */
function labelOf(id: NodeId, defaultPort: number | null): string {
  const [host, port] = id.split(':');
  return defaultPort !== null && port !== undefined && Number(port) === defaultPort ? host! : id;
}

function labelCounts(nodes: readonly PlacementNode[], vnodes: number, ownVnodes: Map<NodeId, number>): number[] {
  const total = sumOf(nodes.map(({ weight }) => weight));
  return nodes.map(({ id, weight }) => {
    const own = ownVnodes.get(id) ?? vnodes;
    return own === vnodes ? Math.floor((weight / total) * vnodes * nodes.length) : own;
  });
}
