import { expect, it } from 'vitest';
import { closedByPeer, failureOf } from '../../src/server/link/failure.ts';
import { Unreadable, untouchable } from '../support/backend-of-others.ts';

it('a failure that throws when it is looked at says only that the call has failed', () => {
  for (const odd of [new Unreadable(), untouchable()]) expect(failureOf(odd)).toBe(closedByPeer);
});
