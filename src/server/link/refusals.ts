/** Reads a server's error reply: what it says, and whether it concerns the one call or every call to that server. Pure. */

import type { ReplyErrorKind } from '../../errors/index.ts';

type NamedKind = Exclude<ReplyErrorKind, 'OTHER'>;

/**
 * call    the command is wrong, on whichever server
 * user    others may do it there
 * server  the server as it is at this moment; the next may be another
 * all     the same, and no call gets any other answer
 */
const concerns: Readonly<Record<NamedKind, 'call' | 'user' | 'server' | 'all'>> = {
  WRONGTYPE: 'call',
  NOPERM: 'user',
  BUSY: 'server',
  CLUSTERDOWN: 'server',
  MISCONF: 'server',
  NOREPLICAS: 'server',
  OOM: 'server',
  READONLY: 'server',
  TRYAGAIN: 'server',
  LOADING: 'all',
  MASTERDOWN: 'all',
  NOAUTH: 'all',
  WRONGPASS: 'all',
};

/** The first word of an error reply, if it is one that callers distinguish. */
export function replyKindOf(text: string): ReplyErrorKind {
  const firstWord = text.split(' ', 1)[0] ?? '';
  return Object.hasOwn(concerns, firstWord) ? (firstWord as NamedKind) : 'OTHER';
}

function concernOf({ message }: Error) {
  const kind = replyKindOf(message);
  return kind === 'OTHER' ? 'call' : concerns[kind];
}

/** True for a refusal that every call would meet. MISCONF forbids writes and PING, NOPERM may forbid PING alone. */
export const refusesAll = (refusal: Error): boolean => concernOf(refusal) === 'all';

/** True for a refusal that any command might have met at this moment, and none at the next. */
export function isStateOfServer(refusal: Error): boolean {
  const concern = concernOf(refusal);
  return concern === 'server' || concern === 'all';
}

/** The server takes no more connections: it is as good as unreachable, and a later call may find it free. */
export const isTooManyClients = ({ message }: Error): boolean => /^ERR max number of clients/.test(message);

/** What EXEC says before the reason if MULTI itself was rejected. */
const aborted = /^EXECABORT Transaction discarded because of: /;

/** True for an error that another server might not have given; for a transaction, if one of its commands failed so. */
export function isOfServer(refusal: Error & { readonly previousErrors?: readonly Error[] | undefined }): boolean {
  const reason = new Error(refusal.message.replace(aborted, ''));
  return [reason, ...(refusal.previousErrors ?? [])].some(
    (error) => concernOf(error) !== 'call' || isTooManyClients(error),
  );
}

/**
 * The answers of a demoted primary: to a write, to a blocking command, to a transaction, and before Redis 7 to a script. A blocking
 * command is also UNBLOCKED by an operator, or where its stream is deleted.
 */
const demotion = /^(READONLY|UNBLOCKED force unblock|EXECABORT.*READONLY|ERR Error running script.*-READONLY)/;

export const isDemotion = ({ message }: Error): boolean => demotion.test(message);

/** Said by a server of Redis Cluster about a key that it does not have. */
const elsewhere = /^(MOVED|ASK) /;

/** True for an error that says that the node is set up wrongly, and is not the answer to one call. */
export const isRedirection = ({ message }: Error): boolean => elsewhere.test(message);
