/**
 * Bytes as they are handed out to be kept.
 *
 * Bytes from a socket come in pieces of up to 64 kB, and parsers, ours as well as those of ioredis, give strings as
 * views on them: who keeps 16 bytes keeps the whole piece. So a string that is less than half of what it holds is copied. A
 * larger one is worth its room, and copying it would cost more.
 *
 * Up to 64 bytes the engine keeps a copy within its own heap, which is cheap. Beyond, memory of one's own costs some
 * microseconds, and room in a piece that is there a tenth of that: copies below 4 kB share pieces of 8 kB. They are ours, as
 * those of Node.js' own pool have 64 kB from Node 24 on.
 */

const heapBytes = 64;
const sharedBytes = 8 * 1024;

let piece = Buffer.allocUnsafeSlow(0);
let used = 0;

/** Room for `length` bytes, above half of a piece in memory of its own. */
function roomFor(length: number): Buffer {
  if (length <= heapBytes || 2 * length > sharedBytes) return Buffer.allocUnsafeSlow(length);
  if (used + length > piece.length) {
    piece = Buffer.allocUnsafeSlow(sharedBytes);
    used = 0;
  }
  const room = piece.subarray(used, used + length);
  used += length;
  return room;
}

/** Gives the same bytes: as they are where they are at least half of the memory that they hold, else a copy. */
export function ownBytes(bytes: Buffer): Buffer {
  if (2 * bytes.length >= bytes.buffer.byteLength) return bytes;
  const copy = roomFor(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The same for a reply with parts, whose bytes are replaced in place: an array, or the object that ioredis makes of a hash. */
export function ownBytesWithin(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return ownBytes(reply);
  if (Array.isArray(reply)) {
    for (let index = 0; index < reply.length; index++) reply[index] = ownBytesWithin(reply[index]);
  } else if (isPlainObject(reply)) {
    for (const name of Object.keys(reply)) reply[name] = ownBytesWithin(reply[name]);
  }
  return reply;
}

const isPlainObject = (reply: unknown): reply is Record<string, unknown> =>
  typeof reply === 'object' && reply !== null && Object.getPrototypeOf(reply) === Object.prototype;
