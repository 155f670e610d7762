#!/usr/bin/env bash
# rate-limit-redis 6.0.1 under express-rate-limit 8.7.5: what is known of a user without requests is NaN. Needs a redis-server.
#
# Guess: getKey gives undefined, which is what express-rate-limit says of a key that its store does not have.
# Seen: an object with totalHits NaN, so that a page "you have used N of 5" shows NaN to every new user, and a sum over users is NaN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install rate-limit-redis@6.0.1 express-rate-limit@8.7.5 express@5.3.0 ioredis@6.0.0
start_redis

see "
import { MemoryStore, rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
const redis = new Redis(process.env.REDIS_URL);
const sendCommand = (command, ...args) => redis.call(command, ...args);
const stores = { MemoryStore: new MemoryStore(), RedisStore: new RedisStore({ sendCommand }) };
for (const [name, store] of Object.entries(stores)) {
  const known = await rateLimit({ limit: 5, store }).getKey('nobody');
  console.log(name + ':', known === undefined ? 'undefined' : 'totalHits ' + known.totalHits);
  store.shutdown?.();
}
redis.disconnect();
" "MemoryStore: undefined
RedisStore: totalHits NaN"
