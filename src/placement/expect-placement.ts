/** Whether a value given by a caller is a placement at all, before anything is asked of it. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectFunction, expectObject } from '../runtime/validate.ts';
import type { Placement } from './placement.ts';

const methods = ['nodeFor', 'preferenceList', 'withNode', 'withoutNode', 'withWeight', 'shares', 'toSnapshot'] as const;

/** @throws {InvalidArgumentError} It lacks one of a placement's methods, or its nodes. */
export function expectPlacement(field: string, value: unknown): Placement {
  const placement = expectObject(field, value);
  for (const method of methods) expectFunction(`${field}.${method}`, placement[method]);
  if (!Array.isArray(placement.nodes)) throw new InvalidArgumentError(`${field}.nodes`, 'an array', placement.nodes);
  return value as Placement;
}
