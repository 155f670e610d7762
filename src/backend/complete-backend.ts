/** Makes what the rest of the library works with out of a backend of others. */

import { NodeProtocolError, UnknownOutcomeError, UnsupportedError } from '../errors/index.ts';
import type { Backend, CompleteBackend, SetOptions } from './backend.ts';
import { type BackendOperation, isWrite } from './calls.ts';
import { type CutOffContext, cutOff } from './cut-off.ts';
import { type Around, interceptCalls } from './intercept.ts';
import { manyFromSingle } from './many-from-single.ts';
import { isVouchedFor } from './own-backends.ts';
import { type Complaint, complaints, keyIterable } from './replies.ts';
import { scanSteps } from './scan-steps.ts';

/**
 * `backend` itself if it is one of ours; else one around it that has the same ports, and `many` made of single calls where that
 * is missing. Each of its calls:
 *
 * - rejects with {@link UnsupportedError} if it has an `expiresAtMs` and the backend keeps none;
 * - is cut off at `timeoutMs` (for a scan: every step of it) and on `signal`, as {@link cutOff} says, unless the backend
 *   `endsItsCalls`;
 * - rejects where the backend throws;
 * - rejects where the backend answers with what the contract does not have: with {@link NodeProtocolError} if it changes nothing,
 *   else with {@link UnknownOutcomeError}, which has that as its `cause`.
 *
 * @param backend  Checked, see `check-backend.ts`.
 */
export function completeBackend(backend: Backend, context: CutOffContext): CompleteBackend {
  if (isVouchedFor(backend)) return backend;
  const guarded = interceptCalls(backend, guardOf(backend, context));
  return Object.assign(guarded, {
    endsItsCalls: true,
    many: guarded.many ?? manyFromSingle(guarded, context),
  });
}

function guardOf({ name, endsItsCalls, expiryResolutionMs }: Backend, context: CutOffContext): Around {
  const call = async <Reply>(operation: BackendOperation, args: readonly unknown[], start: () => Promise<Reply>) => {
    const options = args.at(-1) as SetOptions;
    if (options.expiresAtMs !== undefined && expiryResolutionMs === undefined) {
      throw new UnsupportedError(`${operation} with expiresAtMs`, name);
    }
    const reply = await (endsItsCalls ? start() : cutOff(context, operation, options, start));
    expectKept(operation, complaints[operation](reply, args));
    return reply;
  };
  const expectKept = (operation: BackendOperation, complaint: Complaint) => {
    if (complaint !== undefined) throw breach(operation, complaint, name, context.nodeName);
  };
  return (operation, args, next) => {
    if (operation !== 'scan') return call(operation, args, () => next(...args) as Promise<unknown>);
    const open = () => {
      const keys = next(...args);
      expectKept(operation, keyIterable(keys, args));
      return keys as AsyncIterable<string>;
    };
    return scanSteps(open, (step) => call(operation, args, step));
  };
}

function breach(operation: BackendOperation, complaint: string, backend: string, nodeName: string): Error {
  const reason = `its backend answered with ${complaint}.`;
  const cause = new NodeProtocolError(nodeName, operation, { backend, cause: new TypeError(reason), reason });
  return isWrite(operation) ? new UnknownOutcomeError(nodeName, operation, { cause, reason }) : cause;
}
