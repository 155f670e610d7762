/**
 * Why a call failed, out of what ioredis reports, and which typed error that is.
 *
 * ioredis attaches the command, its arguments and so keys, values and passwords to its errors, and quotes servers that
 * quote arguments. So none of its errors is ever passed on: a cause is always a fresh error with the text alone, which is
 * cut to a length for people and holds nothing that steers a terminal.
 */

import { connectionClosed } from '../../errors/connection-closed.ts';
import {
  CredentialsError,
  NodeProtocolError,
  NodeReplyError,
  NodeUnavailableError,
  NotAnIntegerError,
  type ShardringError,
  UnknownOutcomeError,
  WrongServerError,
} from '../../errors/index.ts';
import { UnexpectedReplyError } from '../sending/reply-shape.ts';
import { outageReason } from './outage-reason.ts';
import { type Failure, isSilentReset, PeerFailure } from './peer-failure.ts';
import { isRedirection, isTooManyClients, replyKindOf } from './refusals.ts';
import { cleanText } from './server-text.ts';

export type { Failure } from './peer-failure.ts';

/** The call that failed, as far as errors speak of it. */
export interface FailedCall {
  readonly node: string;
  /** The address of its server, for the message. */
  readonly address?: string | undefined;
  readonly operation: string;
  /** True if repeating it could change something twice. */
  readonly isWrite: boolean;
  readonly wasSent: boolean;
}

export const closedByPeer: Failure = { kind: 'connection', cause: connectionClosed };

/** Servers quote the arguments of a command that they do not know. */
const quotedArguments = /,? with args beginning with:.*/s;

/**
 * ioredis 6 rethrows its decoder's errors with these words; ioredis 5 names redis-parser's class. A connection on which nobody
 * has subscribed is in subscriber mode only after a message that nobody asked for.
 */
const isProtocolFailure = (error: Error) =>
  error instanceof UnexpectedReplyError ||
  error.name === 'ParserError' ||
  error.message.endsWith('Please report this.') ||
  error.message.startsWith('Command queue state error') ||
  error.message.startsWith('Connection in subscriber mode');

/** True for ioredis' words for a connection that is not there (any more). */
const isNotConnected = ({ message }: Error) => /^(Connection is closed|Stream isn't writeable)/.test(message);

/** True for an error that the server answered with. */
export const isReplyError = (error: unknown): error is Error & { name: 'ReplyError' } =>
  error instanceof Error && error.name === 'ReplyError';

/** An error that throws on access, as one of a borrowed client may, says only that the call has failed. */
export function failureOf(error: unknown): Failure {
  try {
    return error instanceof Error ? failureOfError(error) : closedByPeer;
  } catch {
    return closedByPeer;
  }
}

function failureOfError(error: Error): Failure {
  if (error instanceof PeerFailure) return error.failure;
  if (isReplyError(error)) {
    return { kind: 'reply', cause: new Error(cleanText(error.message).replace(quotedArguments, '')) };
  }
  if (isProtocolFailure(error)) {
    // After the first sentence there can be a stored value.
    return { kind: 'protocol', cause: new Error(cleanText(error.message).replace(/(\.|Last (error|reply):).*/s, '.')) };
  }
  if (isNotConnected(error)) return closedByPeer;
  const cause = systemError(error);
  return { kind: 'connection', cause, reason: outageReason(cause, isSilentReset(error)) };
}

/** Text and code of a system's error. A connection tried at two addresses fails with an error whose text is empty. */
function systemError(error: Error & { code?: unknown }): Error {
  const code = typeof error.code === 'string' ? error.code : undefined;
  const copy = new Error(cleanText(error.message || code || error.name));
  return code === undefined ? copy : Object.assign(copy, { code });
}

/** The typed error for a call that ended this way. */
export function errorOf(failure: Failure, call: FailedCall): ShardringError {
  const { node, operation, address } = call;
  const { cause } = failure;
  if (failure.kind === 'reply') return replyErrorOf(cause, call);
  // Whatever it was that answered, or did not, it may have executed the call before.
  if (failure.kind !== 'connection') {
    const error = setupErrorOf(failure, call);
    return isDoubtful(call) ? new UnknownOutcomeError(node, operation, { cause: error, address }) : error;
  }
  const options = { cause, address, reason: failure.reason ?? outageReason(cause, false) };
  return isDoubtful(call)
    ? new UnknownOutcomeError(node, operation, options)
    : new NodeUnavailableError(node, operation, options);
}

function setupErrorOf(failure: Failure, { node, operation, address }: FailedCall): ShardringError {
  const { cause } = failure;
  switch (failure.kind) {
    case 'wrong server':
      return new WrongServerError(node, operation, failure.problem, { address, other: failure.other });
    case 'credentials':
      return new CredentialsError(node, operation, { cause, address });
    default:
      return new NodeProtocolError(node, operation, { cause, address, reason: failure.reason });
  }
}

/** True for a call that may or may not have been executed, where the difference matters. */
export const isDoubtful = ({ isWrite, wasSent }: FailedCall) => isWrite && wasSent;

/** True if the server is too old for a command. Nothing was done. */
export const isUnknownCommand = (error: unknown): boolean =>
  error instanceof NodeReplyError && error.cause instanceof Error && /^ERR unknown command/i.test(error.cause.message);

const notAnInteger = /not an integer or out of range|would overflow/;

function replyErrorOf(cause: Error, { node, operation, address }: FailedCall): ShardringError {
  const options = { cause, address };
  if (operation === 'increment' && notAnInteger.test(cause.message)) return new NotAnIntegerError(node, { cause });
  if (isTooManyClients(cause)) {
    return new NodeUnavailableError(node, operation, { ...options, reason: cause.message });
  }
  if (isRedirection(cause)) return new WrongServerError(node, operation, 'cluster mode', options);
  return new NodeReplyError(node, operation, replyKindOf(cause.message), options);
}
