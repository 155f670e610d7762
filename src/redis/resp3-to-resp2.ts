/**
 * Replies of RESP3 in the form of RESP2, of a borrowed client that speaks it (ioredis 6 does by default). Pure.
 *
 * The client's parser gives maps as arrays and doubles as text, as RESP2 has them. What is left differs by command, and
 * ioredis puts it right where it knows the connection (`replyTransformers.js` of ioredis 6); here replies are decoded where
 * that is not known. In both forms the reply shows which one it is.
 */

/** Pairs in arrays of their own, where RESP2 has one array of all: with scores, values or WITHSCORES. */
const pairs: ReadonlySet<string> = new Set([
  ...['hrandfield', 'zdiff', 'zinter', 'zpopmax', 'zpopmin', 'zrandmember', 'zrange', 'zrangebyscore', 'zrevrange'],
  ...['zrevrangebyscore', 'zunion'],
]);

/** Maps of streams, where RESP2 has an array of [key, entries]. */
const streams: ReadonlySet<string> = new Set(['xread', 'xreadgroup']);

/** @param reply  Strings as bytes. */
export function asResp2(name: string, reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  if (pairs.has(name)) return reply.some(Array.isArray) ? reply.flat() : reply;
  if (!streams.has(name) || Array.isArray(reply[0])) return reply;
  return Array.from({ length: reply.length / 2 }, (_, index) => reply.slice(2 * index, 2 * index + 2));
}
