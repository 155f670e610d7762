import type { Backend } from '../backend/backend.ts';
import { checkBackend } from '../backend/check-backend.ts';
import { type Around, type Intercepted, interceptCalls } from '../backend/intercept.ts';
import { expectFunction } from '../runtime/validate.ts';

/**
 * Makes a backend whose every call, of whatever port, passes `around`: to count, to log, to wait or to fail.
 *
 *     intercept(backend, (operation, args, next) => { console.log(operation); return next(...args); });
 *
 * It has the ports of `backend`. Closing it closes that, past `around`. A cache cuts its calls off at their deadline, since
 * `around` may wait; where it does not, give what is returned the `endsItsCalls` of `backend`.
 *
 * @throws {InvalidArgumentError} `backend` is none, or `around` is no function.
 */
export function intercept<Kind extends Backend>(backend: Kind, around: Around): Intercepted<Kind> {
  checkBackend('backend', backend);
  expectFunction('around', around);
  return interceptCalls(backend, around);
}
