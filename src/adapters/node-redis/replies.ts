/**
 * From a reply as ioredis gives it to the reply as node-redis 6 gives it.
 *
 * ioredis' own shapes differ by its options: under `replyMapping: 'resp3'` doubles are numbers, under `stringNumbers`
 * integers are strings. Each reader takes every shape, so that the facade's replies are the same for all of them.
 */

/** Turns one command's reply into what its caller sees. */
export type Read<Reply> = (reply: unknown) => Reply;

export interface ScoredMember {
  readonly value: string;
  readonly score: number;
}

export const integer: Read<number> = Number;

export const text: Read<string> = String;

/** Whatever the server said, for commands whose replies have many shapes: scripts, and words sent as they are. */
export const raw: Read<unknown> = (reply) => reply;

/** Reads doubles in the form of Redis: JavaScript does not read `inf` and `-inf` as numbers. */
export const double: Read<number> = (reply) => {
  if (reply === 'inf' || reply === '+inf') return Infinity;
  return reply === '-inf' ? -Infinity : Number(reply);
};

export const orNull =
  <Reply>(read: Read<Reply>): Read<Reply | null> =>
  (reply) =>
    reply === null || reply === undefined ? null : read(reply);

export const listOf =
  <Item>(read: Read<Item>): Read<Item[]> =>
  (reply) =>
    (reply as unknown[]).map((item) => read(item));

/** A hash, as an object without a prototype: fields may have any name. */
export const fields: Read<Record<string, string>> = (reply) => {
  const object: Record<string, string> = Object.create(null);
  for (const [field, value] of Object.entries(reply as Record<string, unknown>)) object[field] = text(value);
  return object;
};

/** Members with scores, sent flat or in pairs. */
export const scoredMembers: Read<ScoredMember[]> = (reply) => {
  const flat = (reply as unknown[]).flat();
  const members: ScoredMember[] = [];
  for (let index = 0; index < flat.length; index += 2) {
    members.push({ value: text(flat[index]), score: double(flat[index + 1]) });
  }
  return members;
};

export const firstScoredMember: Read<ScoredMember | null> = (reply) => scoredMembers(reply)[0] ?? null;

export const page: Read<{ cursor: string; keys: string[] }> = (reply) => {
  const [cursor, keys] = reply as [unknown, unknown];
  return { cursor: text(cursor), keys: listOf(text)(keys) };
};
