import { describe, expect, it } from 'vitest';
import { CrossNodeError } from '../../../src/errors/index.ts';
import { RedisSlots } from '../../../src/placement/compat/redis-slots.ts';
import { twemproxy } from '../../../src/placement/compat/rings.ts';
import { hashesTags, type Placement } from '../../../src/placement/placement.ts';
import { RangeSharding } from '../../../src/placement/ranges/range-sharding.ts';
import { BoundedLoadRing } from '../../../src/placement/ring/bounded-load-ring.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { expectCommonRoute } from '../../../src/redis/commands/key-groups.ts';
import { routeOf } from '../../../src/topology/route.ts';
import { firstTopology } from '../../../src/topology/topology.ts';
import { placementKinds } from '../../support/placement-kinds.ts';

const nodes = ['a', 'b', 'c'].map((id) => ({ id: `${id}:1` }));
const keys = Array.from({ length: 100 }, (_, index) => `${index}:key`);

function refusalBy(placement: Placement): CrossNodeError {
  try {
    const topology = firstTopology(placement, 1);
    expectCommonRoute((key) => routeOf(topology, key), 'sinter', keys, hashesTags(placement));
  } catch (error) {
    if (error instanceof CrossNodeError) return error;
    throw error;
  }
  throw new Error('the keys are on one node');
}

const splits = [...nodes.keys()].map((index) => ({ start: index === 0 ? '' : `${index}`, node: nodes[index]!.id }));

describe('keys on several nodes', () => {
  it.each([
    ['a ring', HashRing.create(nodes)],
    ['a ring with bounded load', BoundedLoadRing.create(nodes)],
    ['the slots of Redis Cluster', RedisSlots.create(nodes)],
    ['a ring of twemproxy with these tags', twemproxy(nodes, { hashTag: '{}' })],
  ])('are refused with the advice to use a tag by %s', (_, placement) => {
    expect(refusalBy(placement).message).toContain("the same {tag}, as in 'cart:{tag}'");
  });

  it.each([
    ['ranges of keys', RangeSharding.create(nodes, { splits })],
    ['a ring of twemproxy without tags', twemproxy(nodes, {})],
    ['a ring of twemproxy with other tags', twemproxy(nodes, { hashTag: '[]' })],
  ])('are refused without that advice by %s', (_, placement) => {
    const { message } = refusalBy(placement);
    expect(message).toContain('Use keys that the placement puts on the same node; it ignores {tags}.');
    expect(message).not.toContain('as in');
  });

  it.each(placementKinds)('get the advice that fits $name', ({ create }) => {
    const placement = create(nodes, 1);
    const tagged = new Set(keys.map((key) => placement.nodeFor(`${key}{tag}`)));
    expect(refusalBy(placement).message.includes('as in')).toBe(tagged.size === 1);
  });
});
