#!/usr/bin/env bash
# lru-cache 11.5.3: fetch() of more cold keys at once than the cache holds rejects some whose load succeeds.
#
# Guess: a value that does not fit any more is handed to whoever waits for it, and not kept.
# Seen: a load counts as an entry while it runs; one that is pushed out rejects its callers with "evicted".
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install lru-cache@11.5.3

see "
import { LRUCache } from 'lru-cache';
const loads = [];
const cache = new LRUCache({ max: 2, fetchMethod: (key) => new Promise((resolve) => loads.push(() => resolve('of ' + key))) });
const fetches = Promise.allSettled(['a', 'b', 'c', 'd'].map((key) => cache.fetch(key)));
for (const load of loads) load();
for (const { value, reason } of await fetches) console.log(value ?? 'rejected: ' + reason.message);
" "rejected: evicted
rejected: evicted
of c
of d"
