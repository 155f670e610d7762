/**
 * The first commands on a connection say who we are, which protocol we speak and which database we use, and ask
 * who the server is (`server-identity.ts`). All in one round trip.
 */

import type { CommandArgument } from '../link/client.ts';
import { isReplyError } from '../link/failure.ts';
import { identityOf, type ServerIdentity } from '../link/server-identity.ts';
import { DirectCommand } from './direct-command.ts';
import type { DirectClientOptions } from './direct-options.ts';

interface Step {
  readonly command: DirectCommand;
  /** True for a refusal with which one can go on. */
  readonly mayFail: (error: Error) => boolean;
}

/** A password is not needed after all: better let in than kept out. */
const needsNoPassword = ({ message }: Error) => /no password is set|without any password configured/.test(message);

/** A refusal of the command, and not one of us that came in its place: the server takes no more clients, or none from here. */
const isForThisOnly = (error: Error) =>
  isReplyError(error) && !/^(ERR max number of clients|DENIED)/.test(error.message);

const isUnknownProtocol = (error: unknown) =>
  error instanceof Error && /^NOPROTO|unknown command.*hello/is.test(error.message);

export interface Greeting {
  readonly protocol: 2 | 3;
  readonly identity: ServerIdentity;
}

/**
 * Sends all in one go and waits for the replies.
 * @throws The first refusal that matters, or the end of the connection.
 */
export async function shakeHands(
  options: DirectClientOptions,
  send: (command: DirectCommand) => void,
): Promise<Greeting> {
  if (options.protocol === 3) {
    try {
      return { protocol: 3, identity: await run(stepsOf(options, 3), send) };
    } catch (error) {
      if (!isUnknownProtocol(error)) throw error;
    }
  }
  return { protocol: 2, identity: await run(stepsOf(options, 2), send) };
}

async function run(steps: readonly Step[], send: (command: DirectCommand) => void): Promise<ServerIdentity> {
  const outcomes = steps.map(({ command }) => command.promise);
  for (const { command } of steps) send(command);
  const settled = await Promise.allSettled(outcomes);
  for (const [index, outcome] of settled.entries()) {
    if (outcome.status === 'rejected' && !steps[index]!.mayFail(outcome.reason)) throw outcome.reason;
  }
  const replyTo = (name: string) => {
    const outcome = settled[steps.findLastIndex(({ command }) => command.name === name)];
    return outcome?.status === 'fulfilled' ? outcome.value : undefined;
  };
  return identityOf(replyTo('hello'), replyTo('info'));
}

function stepsOf(options: DirectClientOptions, protocol: 2 | 3): Step[] {
  const { username, password, db = 0, connectionName, disableClientInfo, asksIdentity } = options;
  const steps: Step[] = [];
  const add = (mayFail: Step['mayFail'], name: string, ...args: CommandArgument[]) => {
    steps.push({ command: new DirectCommand(name, args), mayFail });
  };
  const never = () => false;
  const credentials = password ? [username || 'default', password] : [];
  if (protocol === 3) add(needsNoPassword, 'hello', 3, ...(password ? ['AUTH', ...credentials] : []));
  else if (password) add(needsNoPassword, 'auth', ...(username ? credentials : [password]));
  if (db !== 0) add(never, 'select', db);
  if (connectionName) add(isForThisOnly, 'client', 'SETNAME', connectionName);
  // Servers before Redis 7.2 do not know it.
  if (!disableClientInfo) add(isForThisOnly, 'client', 'SETINFO', 'LIB-NAME', 'shardring');
  if (!asksIdentity) return steps;
  // Without arguments it changes nothing. Behind the others, as it is refused before AUTH.
  add(isForThisOnly, 'hello');
  add(isForThisOnly, 'info', 'server');
  return steps;
}
