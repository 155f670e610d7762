/**
 * The ring of twemproxy (nutcracker) with `distribution: ketama`.
 *
 * Source: Twitter, Inc., https://github.com/twitter/twemproxy (run as nutcracker 0.5.0).
 *
 *   label      the server's name, or host:port where it has none, or the host alone where the port is 11211
 *   counts[n]  floor(float(weight of n / weight of all) * 160 / 4 * N) in floats
 *   points     the four MD5 words of the label, low byte first
 *   position   `hash` of the key, or of what stands between the two characters of `hash_tag` where that is not empty;
 *              0 for the empty key
 *
 * A point owns up to and including itself. The order of two nodes on one position is left to qsort there; here the id
 * that sorts first owns it. With `auto_eject_hosts` twemproxy takes a node that fails out of the ring; this is the ring
 * with all nodes in it.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { type HashkitName, hashkit } from '../../hash/hashkit.ts';
import { expectKnown, expectOneOf } from '../../runtime/validate.ts';
import { writeMd5Words } from './ketama.ts';
import {
  integerWeights,
  labelledPoints,
  labelOfAddress,
  type PointRule,
  type RuleKind,
  weightedLabelCounts,
} from './point-rule.ts';

export interface TwemproxyOptions {
  /** `hash:` of the pool. Default `fnv1a_64`. */
  readonly hash?: HashkitName | undefined;
  /** `hash_tag:` of the pool: two ASCII characters such as `{}`. Default none: the whole key is hashed. */
  readonly hashTag?: string | undefined;
  /**
   * The meaning of the nodes' ids. `address` (default): host:port of servers without names, where port 11211 is left out of the
   * label. `name`: the names that stand after the weights.
   */
  readonly label?: 'address' | 'name' | undefined;
}

const hashNames = Object.keys(hashkit) as HashkitName[];
const optionNames = ['hash', 'hashTag', 'label'];

/** twemproxy adds the weights up in 32 bits. */
const maxTotalWeight = 2 ** 32 - 1;

export const twemproxyKind: RuleKind = {
  placement: 'twemproxy/1',
  parameters: optionNames,
  make(options): PointRule {
    const given = expectKnown('options', options, optionNames);
    const hash = expectOneOf('hash', given.hash ?? 'fnv1a_64', hashNames);
    const hashTag = parseHashTag(given.hashTag ?? null);
    const label = expectOneOf('label', given.label ?? 'address', ['address', 'name']);
    const hashText = hashkit[hash];
    const hashed = (key: string) => (key === '' ? 0 : hashText(key));
    return {
      placement: 'twemproxy/1',
      parameters: { hash, hashTag, label },
      keyHash: `twemproxy/1 ${hash} hashTag=${hashTag ?? ''}`,
      isOrdered: false,
      positionOf: hashTag === null ? hashed : (key) => hashed(taggedPart(key, hashTag)),
      ...(hashTag === null ? {} : { routingKeyOf: (key: string) => taggedPart(key, hashTag) }),
      pointsOf(nodes) {
        const labels = nodes.map(({ id }) => (label === 'name' ? id : labelOfAddress(id)));
        const counts = weightedLabelCounts(integerWeights(nodes, 'twemproxy', maxTotalWeight));
        return labelledPoints(labels, counts, 4, writeMd5Words);
      },
    };
  },
};

/** The text between the first opening character and the first closing one after it, if that is not empty; else the key. */
function taggedPart(key: string, hashTag: string): string {
  const open = key.indexOf(hashTag[0]!);
  if (open === -1) return key;
  const close = key.indexOf(hashTag[1]!, open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}

function parseHashTag(hashTag: unknown): string | null {
  if (hashTag === null) return null;
  if (typeof hashTag === 'string' && /^[\x01-\x7f]{2}$/.test(hashTag)) return hashTag;
  throw new InvalidArgumentError('hashTag', 'two ASCII characters', hashTag);
}
