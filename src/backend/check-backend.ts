/** Whether an adapter, which may be written in plain JavaScript, has the shape of the contract. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectFunction, expectObject, expectString } from '../runtime/validate.ts';
import type { Backend } from './backend.ts';

const required = ['get', 'set', 'delete', 'ping', 'close'] as const satisfies readonly (keyof Backend)[];

const manyKeyCalls = ['getMany', 'setMany', 'deleteMany'] as const satisfies readonly (keyof Backend)[];

/** The calls that each capability promises. */
const promised = {
  expiry: ['getWithExpiry', 'expiresAt', 'expire'],
  increment: ['increment'],
  setIfAbsent: ['setIfAbsent'],
  scan: ['scan'],
  clear: ['clear'],
} as const satisfies Record<string, readonly (keyof Backend)[]>;

/**
 * A capability that is false with its call there is allowed: a class may offer less in one configuration, and its
 * calls are then not used.
 *
 * @throws {InvalidArgumentError} Names the field: `backend.get`, `backend.capabilities.scan`.
 */
export function checkBackend(backend: Backend): void {
  expectObject('backend', backend);
  expectString('backend.name', backend.name);
  for (const call of required) expectFunction(`backend.${call}`, backend[call]);
  for (const call of manyKeyCalls) if (backend[call] !== undefined) expectFunction(`backend.${call}`, backend[call]);

  const capabilities = expectObject('backend.capabilities', backend.capabilities);
  expectBoolean('backend.capabilities.deadlines', capabilities.deadlines);
  for (const [capability, calls] of Object.entries(promised)) {
    const field = `backend.capabilities.${capability}`;
    const missing = calls.find((call) => typeof backend[call] !== 'function');
    if (expectBoolean(field, capabilities[capability]) && missing !== undefined) {
      throw new InvalidArgumentError(field, `false, since the backend has no ${missing}()`, true);
    }
  }
  checkExpiryResolution(capabilities.expiryResolutionMs, capabilities.expiry === true);
}

function checkExpiryResolution(resolutionMs: unknown, hasExpiry: boolean): void {
  const field = 'backend.capabilities.expiryResolutionMs';
  if (typeof resolutionMs !== 'number' || !Number.isFinite(resolutionMs) || resolutionMs < 0) {
    throw new InvalidArgumentError(field, 'a finite number of at least 0', resolutionMs);
  }
  if (hasExpiry && resolutionMs === 0) {
    throw new InvalidArgumentError(field, 'a number above 0, since capabilities.expiry is true', resolutionMs);
  }
}
