import { type CommandArgument, UnexpectedReplyError } from '../../server/index.ts';
/**
 * The replies of several nodes made into the one that a single server would have given.
 *
 * Replies are as the servers send them: strings as bytes, so that the caller's encoding is applied once, to the whole.
 * A part that failed has no reply: the whole call rejects, and what other nodes did stays done.
 */

/** One node's reply to its share of a split command. */
export interface Part {
  /** Which entries of the whole command (keys, or pairs of key and value) the node was given, in this order. */
  readonly entries: readonly number[];
  readonly reply: unknown;
}

export type MergeParts = (parts: readonly Part[], entryCount: number) => unknown;

/** @param replies  Of all nodes, to one and the same command; at least one. */
export type MergeReplies = (replies: readonly unknown[]) => unknown;

/** Each reply has passed its own check, see `reply-shape.ts`; this is for those that do not fit together. */
const unexpected = (expected: string) => new UnexpectedReplyError(expected);

/** The arguments of one node's share. @param width  Arguments of an entry: 1 for a key, 2 for a key and its value. */
export function argumentsOf(args: readonly CommandArgument[], width: number, entries: readonly number[]) {
  if (width === 1) return entries.map((entry) => args[entry]!);
  return entries.flatMap((entry) => args.slice(entry * width, (entry + 1) * width));
}

/** MGET: each value to its place. */
export const inOrderOfEntries: MergeParts = (parts, entryCount) => {
  const whole = new Array<unknown>(entryCount).fill(null);
  for (const { entries, reply } of parts) {
    if (!Array.isArray(reply) || reply.length !== entries.length) throw unexpected('an array of one value a key');
    entries.forEach((entry, index) => {
      whole[entry] = reply[index];
    });
  }
  return whole;
};

export const sumOfParts: MergeParts = (parts) => sum(parts.map(({ reply }) => reply));
export const firstOfParts: MergeParts = (parts) => parts[0]?.reply;

/** For replies that are the same everywhere: OK, a checksum, the name of a library. */
export const first: MergeReplies = (replies) => replies[0];

export const sum: MergeReplies = (replies) =>
  integerLike(
    replies[0],
    replies.map(integerOf).reduce((a, b) => a + b, 0),
  );

export const minimum: MergeReplies = (replies) => integerLike(replies[0], Math.min(...replies.map(integerOf)));

export const maximum: MergeReplies = (replies) => integerLike(replies[0], Math.max(...replies.map(integerOf)));

/** SCRIPT EXISTS: there if it is there on every node. WAITAOF: of each of the two numbers the smallest. */
export const minimumOfEach: MergeReplies = (replies) => columnsOf(replies).map(minimum);

/** PUBSUB NUMSUB: channels and numbers in turn, the channels the same in all replies. */
export const sumOfCounts: MergeReplies = (replies) =>
  columnsOf(replies).map((column, index) => (index % 2 === 0 ? column[0] : sum(column)));

/** Every string of the replies once: KEYS, also where a key has copies or is being moved; PUBSUB CHANNELS. */
export const union: MergeReplies = (replies) => {
  const seen = new Map<string, unknown>();
  for (const string of replies.flatMap(itemsOf)) {
    const text = Buffer.isBuffer(string) ? string.toString('latin1') : String(string);
    if (!seen.has(text)) seen.set(text, string);
  }
  return [...seen.values()];
};

/**
 * Which node to take a random key from: each with a probability in proportion to its number of keys, so that every key is
 * equally likely. So it is with copies too, as each key is then counted as often as it can be drawn.
 *
 * @param sizes   Keys of each node.
 * @param random  In [0, 1).
 * @returns       An index of `sizes`, or undefined if there is no key.
 */
export function pickBySize(sizes: readonly number[], random: number): number | undefined {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let rest = random * total;
  let last: number | undefined;
  for (const [index, size] of sizes.entries()) {
    if (size <= 0) continue;
    last = index;
    rest -= size;
    if (rest < 0) return index;
  }
  return last; // Rounding may leave a rest of 0 at the end.
}

/** The replies' first elements, their second ones, and so on. */
function columnsOf(replies: readonly unknown[]): unknown[][] {
  const rows = replies.map(itemsOf);
  const length = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== length)) throw unexpected('an array as long as that of the other nodes');
  return Array.from({ length }, (_, index) => rows.map((row) => row[index]));
}

function itemsOf(reply: unknown): unknown[] {
  if (reply instanceof Set) return [...reply];
  if (!Array.isArray(reply)) throw unexpected('an array');
  return reply;
}

/** A borrowed client may be set to give integers as strings. */
function integerOf(reply: unknown): number {
  const isText = Buffer.isBuffer(reply) || typeof reply === 'string';
  const number = typeof reply === 'number' ? reply : isText && reply.length > 0 ? Number(reply) : NaN;
  if (!Number.isSafeInteger(number)) throw unexpected('an integer');
  return number;
}

/** The number in the form that the nodes gave theirs. */
function integerLike(sample: unknown, number: number): unknown {
  if (typeof sample === 'number') return number;
  return typeof sample === 'string' ? String(number) : Buffer.from(String(number));
}
