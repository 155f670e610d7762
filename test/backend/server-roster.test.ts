import { expect, it } from 'vitest';
import { type Claim, ServerRoster } from '../../src/backend/server-roster.ts';

const claimOf = (server: string): Claim => ({
  server,
  keyspace: { database: 0, prefix: '' },
  revoke: () => undefined,
});

it('what the backend of a node that has left goes on to tell says nothing of the node that came under its id', () => {
  const demoted: string[] = [];
  const roster = new ServerRoster({
    allows: () => false,
    onShared: () => undefined,
    onRefused: () => undefined,
    onDemoted: (node) => demoted.push(node),
  });
  roster.enter(['a', 'b']);
  const former = roster.seatOf('a');
  const held = claimOf('first');
  former.claim(held);
  roster.leave('a');
  roster.enter(['a']);
  const present = roster.seatOf('a');
  expect(present.claim(claimOf('second'))).toBeUndefined();
  expect(former.claim(claimOf('third'))).toBeUndefined();
  former.release(held);
  former.demoted();
  expect(roster.seatOf('b').claim(claimOf('third'))).toBeUndefined();
  roster.enter(['c']);
  expect(roster.seatOf('c').claim(claimOf('second'))).toBe('a');
  expect(demoted).toEqual([]);
  present.demoted();
  expect(demoted).toEqual(['a']);
});
