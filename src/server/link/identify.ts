/**
 * Asks a server who it is, when a connection to it is new.
 *
 * HELLO without arguments changes nothing and is open to every user, whatever the ACL says. INFO may be refused; the run id
 * is then not known. Both go out together. ROLE is asked only where there is no HELLO.
 */

import { type Client, commandClassOf, rawReplies } from './client.ts';
import { closedByPeer, isReplyError } from './failure.ts';
import { identityOf, roleOf, type ServerIdentity } from './server-identity.ts';

/**
 * @throws  What ended the connection. Replies that are refusals do not matter. Settles when the connection ends, too.
 */
export async function identify(client: Client): Promise<ServerIdentity> {
  if (client.identity !== undefined) return client.identity;
  const Command = commandClassOf(client)!;
  // The client's own methods would do with the command what its owner chose for his.
  const ask = (name: string, args: readonly string[] = []) => {
    const command = new Command(name, args, rawReplies);
    client.sendCommand(command);
    return orRefusal(command.promise);
  };
  const asked = Promise.all([ask('HELLO'), ask('INFO', ['server'])]);
  const [hello, info] = await beforeClose(client, asked);
  const identity = identityOf(hello, info);
  if (!(hello instanceof Error) || identity.role !== undefined) return identity;
  return { ...identity, role: roleOf(await beforeClose(client, ask('ROLE'))) };
}

async function orRefusal(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (isReplyError(error)) return error;
    throw error;
  }
}

/** The result of `promise`, or a rejection when the connection ends: a promise of ioredis can then stay open for ever. */
export function beforeClose<Result>(client: Client, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(closedByPeer.cause);
    client.on('close', onClose);
    promise.finally(() => client.removeListener('close', onClose)).then(resolve, reject);
  });
}
