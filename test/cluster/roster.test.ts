import { describe, expect, it } from 'vitest';
import { makeRoster } from '../../src/cluster/roster.ts';

describe('makeRoster', () => {
  const keyspace = { database: 0, prefix: '' };

  it('lets health know of the node that may not use its server, whichever reached it first', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const told: unknown[] = [];
      const health = { reportFailure: (node: string, error: unknown) => told.push([node, error]) };
      const roster = makeRoster({ replicationFactor: 1, allowSharedServers: false }, () => undefined, health);
      roster.enter(['a', 'b']);
      const revoked: string[] = [];
      const owners = order.map((id) =>
        roster.seatOf(id).claim({ server: 'one', keyspace, revoke: (owner) => revoked.push(`${id} for ${owner}`) }),
      );
      expect(owners).toEqual([undefined, order[0] === 'a' ? 'a' : undefined]);
      expect(revoked).toEqual(order[0] === 'a' ? [] : ['b for a']);
      expect(told).toMatchObject([['b', { code: 'ERR_WRONG_SERVER', problem: 'shared', other: 'a' }]]);
    }
  });
});
