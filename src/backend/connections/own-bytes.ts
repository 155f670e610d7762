/**
 * Bytes as they are handed out.
 *
 * What is read from a socket comes in pieces of up to 64 kB, and parsers, ours as well as those of ioredis, give strings as
 * views on them: who keeps 16 bytes keeps the whole piece. So a string that is less than half of what it holds is copied: kept
 * values then never hold more than twice their own size. A larger one is worth its room, and copying it would cost more.
 */

/** The same bytes, on memory of which they are at least half. */
export function ownBytes(bytes: Buffer): Buffer {
  if (2 * bytes.length >= bytes.buffer.byteLength) return bytes;
  // Not from the pool that small buffers share, where one of them would again hold 8 kB.
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
