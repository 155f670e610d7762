/** Whether an adapter, which may be written in plain JavaScript, has the shape of the contract. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectFunction, expectObject, expectString } from '../runtime/validate.ts';
import type { Backend } from './backend.ts';
import { portCalls, requiredCalls } from './calls.ts';

/**
 * @param field  Where it was given: `nodes[0].backend`.
 * @throws {InvalidArgumentError} Names the field: `nodes[0].backend.get`, `nodes[0].backend.counting.increment`.
 */
export function checkBackend(field: string, backend: unknown): Backend {
  const given = expectObject(field, backend);
  for (const call of [...Object.keys(requiredCalls), 'close']) expectFunction(`${field}.${call}`, given[call]);
  const advice = adviceForOldBackend(given);
  if (advice !== undefined) throw InvalidArgumentError.saying(field, advice);
  expectString(`${field}.name`, given.name);
  for (const [name, calls] of Object.entries(portCalls)) {
    if (given[name] === undefined) continue;
    const port = expectObject(`${field}.${name}`, given[name]);
    for (const call of Object.keys(calls)) expectFunction(`${field}.${name}.${call}`, port[call]);
  }
  if (given.endsItsCalls !== undefined) expectBoolean(`${field}.endsItsCalls`, given.endsItsCalls);
  checkExpiryResolution(`${field}.expiryResolutionMs`, given.expiryResolutionMs, given.expiring !== undefined);
  return backend as Backend;
}

function checkExpiryResolution(field: string, resolutionMs: unknown, hasPort: boolean): void {
  if (resolutionMs === undefined && !hasPort) return;
  if (typeof resolutionMs === 'number' && Number.isFinite(resolutionMs) && resolutionMs > 0) return;
  const expected = hasPort ? ', since the backend has the port expiring' : ', or undefined where values do not expire';
  throw new InvalidArgumentError(field, `a finite number above 0${expected}`, resolutionMs);
}

/** What has become of a backend that was written for 0.1, which had flags (`capabilities`) in place of ports; undefined: it was not. */
function adviceForOldBackend(given: Record<string, unknown>): string | undefined {
  const moved = Object.entries(portCalls).flatMap(([port, calls]) => {
    const flat = Object.keys(calls).filter((call) => typeof given[call] === 'function');
    return port in given || flat.length === 0 ? [] : `${flat.join(', ')}: ${port}`;
  });
  if (moved.length === 0 && !('capabilities' in given)) return undefined;
  const list = moved.length === 0 ? '' : ` (${moved.join('; ')})`;
  return `It is written for shardring 0.1. Its capabilities are ports now${list}, endsItsCalls and expiryResolutionMs. See CHANGELOG.md.`;
}
