#!/usr/bin/env bash
# consistent-hash 1.2.2: two rings of the same nodes, added in the same order, disagree on most keys.
#
# Guess: the place of a node follows from its name, so that two processes agree.
# Seen: control points are drawn at random by default, anew in each ring. The documentation names "random" as the default, and not that
# it makes every process shard differently. With `distribution: 'uniform'` the two agree, as long as the order is the same.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install consistent-hash@1.2.2

see "
import ConsistentHash from 'consistent-hash';
const ringOf = (options) => {
  const ring = new ConsistentHash(options);
  for (const node of ['cache-1', 'cache-2', 'cache-3']) ring.add(node);
  return ring;
};
const keys = Array.from({ length: 10_000 }, (_, index) => 'user:' + index);
const differing = (options) => {
  const [one, other] = [ringOf(options), ringOf(options)];
  return keys.filter((key) => one.get(key) !== other.get(key)).length;
};
console.log('default: more than 4,000 of 10,000 keys are elsewhere in the second ring:', differing() > 4_000);
console.log('uniform:', differing({ distribution: 'uniform' }));
" "default: more than 4,000 of 10,000 keys are elsewhere in the second ring: true
uniform: 0"
