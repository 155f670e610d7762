#!/usr/bin/env bash
# generic-pool 3.9.0: a pool of at most one resource has five open at once.
#
# Guess: a place in the pool is free when `destroy` of its factory has ended.
# Seen: it is free as soon as `pool.destroy(resource)` is called, whose promise resolves before the factory's does. Where closing takes
# time, as for connections to a busy server, there are more of them than `max`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install generic-pool@3.9.0

see "
import { createPool } from 'generic-pool';
let open = 0;
let most = 0;
const closing = [];
const factory = {
  async create() {
    most = Math.max(most, ++open);
    return {};
  },
  destroy: () => new Promise((resolve) => closing.push(() => { open--; resolve(); })),
};
const pool = createPool(factory, { max: 1 });
for (let count = 0; count < 5; count++) await pool.destroy(await pool.acquire());
console.log('max 1, open at once:', most);
for (const close of closing) close();
" "max 1, open at once: 5"
