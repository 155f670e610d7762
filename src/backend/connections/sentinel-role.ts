/** Whether the server at the other end of a connection is in its group what the sentinels said. */

import type { Client } from './client.ts';
import { closedByPeer, type Failure, failureOf } from './failure.ts';
import { fieldsOf } from './sentinel-reply.ts';
import type { Role } from './sentinel-settings.ts';

/**
 * Asks ROLE, and HELLO where the user may not ask that: HELLO is open to every user and says the same.
 *
 * @returns Undefined if the server has the role. Settles when the connection ends, too.
 */
export async function roleFailure(client: Client, role: Role, group: string): Promise<Failure | undefined> {
  let found: string;
  try {
    found = await beforeClose(client, roleOf(client));
  } catch (error) {
    return failureOf(error);
  }
  if (found === role) return undefined;
  const text = `The server that the sentinels name as ${nounOf(role)} of the group '${group}' says that it is a ${nounOf(found)}.`;
  return { kind: 'connection', cause: new Error(text) };
}

const nounOf = (role: string) => (role === 'slave' ? 'replica' : role);

type Caller = { call(name: string): Promise<unknown> };

async function roleOf(client: Client): Promise<string> {
  const caller = client as unknown as Caller;
  try {
    const reply = await caller.call('ROLE');
    return String(Array.isArray(reply) ? reply[0] : reply);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOPERM')) throw error;
    const { role = '' } = fieldsOf(await caller.call('HELLO'));
    return role === 'replica' ? 'slave' : role;
  }
}

/** A promise of ioredis can stay open for ever once its connection is lost. */
function beforeClose<Result>(client: Client, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = () => client.removeListener('close', onClose);
    const onClose = () => {
      settle();
      reject(closedByPeer.cause);
    };
    client.on('close', onClose);
    promise.then(
      (result) => {
        settle();
        resolve(result);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
  });
}
