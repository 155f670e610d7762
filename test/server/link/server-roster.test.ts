import { expect, it } from 'vitest';
import type { NodeGroup } from '../../../src/backend/seat.ts';
import { type Claim, placeOf } from '../../../src/server/link/server-roster.ts';

const claimOf = (server: string, revoke: (owner: string) => void = () => undefined): Claim => ({
  server,
  keyspace: { database: 0, prefix: '' },
  revoke,
});

/** Nodes with one copy of each key, and what is told of them. */
function group() {
  const told: unknown[] = [];
  const nodes: NodeGroup = {
    replicationFactor: 1,
    allowSharedServers: false,
    reportFailure: (node, error) => told.push([node, error]),
    emit: (name, event) => name === 'nodeDemoted' && told.push([name, event]),
  };
  const sit = (node: string) => {
    const seat = { node, group: nodes, hasLeft: false };
    return { seat, place: placeOf(seat) };
  };
  return { told, sit };
}

it('lets health know of the node that may not use its server, whichever reached it first', () => {
  for (const isInOrder of [true, false]) {
    const { told, sit } = group();
    const nodes = ['a', 'b'].map((id) => ({ id, ...sit(id) }));
    const order = isInOrder ? nodes : nodes.reverse();
    const revoked: string[] = [];
    const owners = order.map(({ id, place }) =>
      place.claim(claimOf('one', (owner) => revoked.push(`${id} for ${owner}`))),
    );
    expect(owners).toEqual([undefined, isInOrder ? 'a' : undefined]);
    expect(revoked).toEqual(isInOrder ? [] : ['b for a']);
    expect(told).toMatchObject([['b', { code: 'ERR_WRONG_SERVER', problem: 'shared', other: 'a' }]]);
  }
});

it('what the backend of a node that has left goes on to tell says nothing of the node that came under its id', () => {
  const { told, sit } = group();
  const former = sit('a');
  const b = sit('b');
  const held = claimOf('first');
  former.place.claim(held);
  former.seat.hasLeft = true;
  const present = sit('a');
  expect(present.place.claim(claimOf('second'))).toBeUndefined();
  expect(former.place.claim(claimOf('third'))).toBeUndefined();
  former.place.release(held);
  former.place.demoted();
  expect(b.place.claim(claimOf('third'))).toBeUndefined();
  expect(told).toEqual([]);
  expect(sit('c').place.claim(claimOf('second'))).toBe('a');
  present.place.demoted();
  expect(told).toMatchObject([
    ['c', { code: 'ERR_WRONG_SERVER' }],
    ['nodeDemoted', { node: 'a' }],
  ]);
});
