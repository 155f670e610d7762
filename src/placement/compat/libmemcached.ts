/**
 * The ring of libmemcached, which pylibmc, PHP's memcached and many others stand on.
 *
 * Source: libmemcached 1.1 (B. Aker, M. Wallner), https://github.com/awesomized/libmemcached; its behaviours
 * MEMCACHED_BEHAVIOR_KETAMA and MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, set before the servers are added.
 *
 *              plain                                weighted
 *   label      host:port, or the host alone where the port is 11211
 *   counts[n]  100                                  floor(float(weight of n / weight of all) * 160 / 4 * N) in floats
 *   points     the hash of the label, one a label   the four MD5 words of the label, low byte first
 *   position   the same hash of the key             a hash of the key that may be another; MD5 unless chosen
 *
 * A point owns up to and including itself. Of two nodes on one position the one listed first owns it, so that the order
 * of the nodes is part of the mapping.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { type HashkitName, hashkit } from '../../hash/hashkit.ts';
import { expectBoolean, expectKnown, expectOneOf } from '../../runtime/validate.ts';
import type { PlacementNode } from '../node.ts';
import { writeMd5Words } from './ketama.ts';
import {
  integerWeights,
  labelledPoints,
  labelOfAddress,
  type PointRule,
  type RuleKind,
  weightedLabelCounts,
} from './point-rule.ts';

/** MEMCACHED_HASH_* by the names that twemproxy has for them; `one_at_a_time` is MEMCACHED_HASH_DEFAULT. */
const hashNames = [
  'one_at_a_time',
  'md5',
  'crc32',
  'fnv1_64',
  'fnv1a_64',
  'fnv1_32',
  'fnv1a_32',
  'murmur',
  'jenkins',
] as const satisfies readonly HashkitName[];

export interface LibmemcachedOptions {
  /** False (default): MEMCACHED_BEHAVIOR_KETAMA. True: MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED. */
  readonly weighted?: boolean | undefined;
  /** MEMCACHED_BEHAVIOR_HASH. Default `one_at_a_time`, and `md5` if weighted, as libmemcached sets it then. */
  readonly hash?: (typeof hashNames)[number] | undefined;
}

const labelsPerNode = 100;
const maxTotalWeight = 2 ** 53 - 1;
const optionNames = ['weighted', 'hash'];

export const libmemcachedKind: RuleKind = {
  placement: 'libmemcached/1',
  parameters: optionNames,
  make(options): PointRule {
    const given = expectKnown('options', options, optionNames);
    const weighted = expectBoolean('weighted', given.weighted ?? false);
    const hash = expectOneOf('hash', given.hash ?? (weighted ? 'md5' : 'one_at_a_time'), hashNames);
    const positionOf = hashkit[hash];
    return {
      placement: 'libmemcached/1',
      parameters: { weighted, hash },
      keyHash: `${hash}/1`,
      isOrdered: true,
      positionOf,
      pointsOf(nodes) {
        const labels = nodes.map(({ id }) => labelOfAddress(id));
        if (!weighted) {
          expectEqualWeights(nodes);
          return labelledPoints(
            labels,
            nodes.map(() => labelsPerNode),
            1,
            (text, positions, offset) => {
              positions[offset] = positionOf(text);
            },
          );
        }
        const counts = weightedLabelCounts(integerWeights(nodes, 'libmemcached', maxTotalWeight));
        return labelledPoints(labels, counts, 4, writeMd5Words);
      },
    };
  },
};

/** A plain ring has no weights; libmemcached makes it a weighted one as soon as a weight above 1 is given. */
function expectEqualWeights(nodes: readonly PlacementNode[]): void {
  for (const { id, weight } of nodes) {
    if (weight !== 1) throw new InvalidArgumentError(`weight of node ${id}`, '1 unless `weighted` is true', weight);
  }
}
