/**
 * Commands that wait for data, each on a connection of its own: on the shared one they would hold up everybody.
 *
 * A command that waits for at most so long ends by then and the deadline of an ordinary call together, whatever the
 * server does. One that waits for ever ends with its data, with its connection, or when the client is closed. A connection that
 * was lost without a word is found out, see `reply-watch.ts`: a command that takes data then has an unknown outcome.
 */

import type { Redis } from 'ioredis';
import { type CommandArgument, cleanError, isReplyError, replyCheckOf, type UseTime } from '../server/index.ts';
import type { RedisNode } from './node.ts';

export interface BlockingCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  /** Longest wait that the command itself asks for, in milliseconds; Infinity for one without end. */
  readonly maxWaitMs: number;
  readonly isWrite: boolean;
}

/** An idle server looks for waits that are over ten times a second (its setting `hz`). Milliseconds. */
const serverTickMs = 100;

/**
 * The server's reply, strings as bytes.
 *
 * @param time     The command's own wait included. Without a limit it is only having a connection that has one.
 * @param prepare  Done on the connection before the command.
 */
export async function waitAt(
  node: RedisNode,
  command: BlockingCommand,
  time: UseTime,
  prepare?: (client: Redis) => Promise<unknown>,
): Promise<unknown> {
  const { name: operation, isWrite, maxWaitMs } = command;
  const answer = await node.server.lendForBlocking(
    async (client) => {
      await prepare?.(client);
      return ask(client, command);
    },
    { ...time, waitMs: maxWaitMs + serverTickMs, operation, isWrite },
  );
  if ('refusal' in answer) {
    node.server.noteRefusal(answer.refusal);
    throw answer.refusal;
  }
  return answer.reply;
}

async function ask(
  client: Redis,
  { name, args }: BlockingCommand,
): Promise<{ readonly reply: unknown } | { readonly refusal: Error }> {
  try {
    const reply = await client.callBuffer(name, args as string[]);
    replyCheckOf(name)?.(reply, args);
    return { reply };
  } catch (error) {
    // The server's refusal leaves the connection as it was.
    if (isReplyError(error)) return { refusal: cleanError(error) };
    throw error;
  }
}
