import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routingKeyOf } from '../../src/placement/routing-key.ts';

describe('routingKeyOf', () => {
  // The examples of the Redis Cluster specification, section "Hash tags", and their neighbours.
  it.each([
    ['{user1000}.following', 'user1000'],
    ['foo{}{bar}', 'foo{}{bar}'],
    ['foo{{bar}}zap', '{bar'],
    ['foo{bar}{zap}', 'bar'],
    ['', ''],
    ['{', '{'],
    ['}', '}'],
    ['{}', '{}'],
    ['}{a}', 'a'],
    ['{a', '{a'],
    ['a}b{c}', 'c'],
    ['{\0}', '\0'],
  ])('gives for %j the routing key %j', (key, expected) => {
    expect(routingKeyOf(key)).toBe(expected);
  });

  it('gives the tag of any key that has one, whatever stands around it', () => {
    const text = fc.string();
    fc.assert(
      fc.property(text, text, text, (before, tag, after) => {
        fc.pre(!before.includes('{') && tag !== '' && !tag.includes('}'));
        expect(routingKeyOf(`${before}{${tag}}${after}`)).toBe(tag);
      }),
    );
  });
});
