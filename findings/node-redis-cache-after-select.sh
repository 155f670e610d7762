#!/usr/bin/env bash
# redis 6.3.1 (node-redis): its client-side cache answers for the database that was selected before. Needs a redis-server.
#
# Guess: select() empties the cache, or the database is a part of its keys.
# Seen: after select(1) a GET that was cached is answered with the value of database 0; the same command past the cache gives that of 1.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install redis@6.3.1
start_redis

see "
import { createClient } from 'redis';
const url = process.env.REDIS_URL;
const writer = createClient({ url });
await writer.connect();
await writer.set('key', 'of database 0');
await writer.select(1);
await writer.set('key', 'of database 1');
const client = createClient({ url, RESP: 3, clientSideCache: { maxEntries: 100 } });
await client.connect();
console.log('cached:', await client.get('key'));
await client.select(1);
console.log('after select(1):', await client.get('key'));
console.log('past the cache:', await client.sendCommand(['GET', 'key']));
await client.close();
await writer.close();
" "cached: of database 0
after select(1): of database 0
past the cache: of database 1"
