// Code written for one client of ioredis, over several servers. Name yours; it writes keys `shardring-example:*` and removes them:
// npx tsx examples/sharded-redis.ts redis://127.0.0.1:7001 redis://127.0.0.1:7002 redis://127.0.0.1:7003

import { isShardringError } from 'shardring';
import { ShardedRedis } from 'shardring/redis';

const urls = process.argv.slice(2);
if (urls.length === 0) throw new Error('Name the servers: npx tsx examples/sharded-redis.ts redis://host:port ...');
const keyPrefix = 'shardring-example:';
const redis = new ShardedRedis({ nodes: urls.map((url, index) => ({ id: `shard-${index + 1}`, url })), keyPrefix });
await redis.connect();

// A profile for each user, on the node of each user, in one go.
const users = Array.from({ length: 1_000 }, (_, index) => `{user:${index}}`);
const pipeline = redis.pipeline();
for (const [index, user] of users.entries()) {
  pipeline.hset(`${user}:profile`, { name: `User ${index}`, visits: 0 }).expire(`${user}:profile`, 60);
}
await pipeline.exec();

// What belongs to one user is on one node, and can be changed as one.
const [[, visits], [, length]] = (await redis
  .multi()
  .hincrby('{user:42}:profile', 'visits', 1)
  .rpush('{user:42}:seen', 'the front page')
  .expire('{user:42}:seen', 60)
  .exec()) as [[null, number], [null, number], [null, number]];
console.log(`user 42 was here ${visits} times and saw ${length} pages`);

const counts = new Map<string, number>();
for await (const key of redis.scan({ match: `${keyPrefix}*:profile` })) {
  const node = redis.explain(key.slice(keyPrefix.length)).nodes[0]!.id;
  counts.set(node, (counts.get(node) ?? 0) + 1);
}
console.log([...counts].map(([node, count]) => `${node} has ${count} profiles`).join(', '));

// What cannot be done on one server is refused, and says why.
try {
  await redis.sinter('friends:1', 'friends:2', 'friends:3', 'friends:4');
} catch (error) {
  if (!isShardringError(error)) throw error;
  console.log(error.code, error.message);
}

for await (const key of redis.scan({ match: `${keyPrefix}*` })) await redis.unlink(key.slice(keyPrefix.length));
await redis.quit();
