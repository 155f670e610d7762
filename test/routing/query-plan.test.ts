import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServingHealth } from '../../src/health/health-view.ts';
import { attemptTimeoutMs, readOrder, requiredAcknowledgements, servingNodes } from '../../src/routing/query-plan.ts';

const nodes = ['a', 'b', 'c', 'd', 'e'];
const anyHealth = fc
  .array(fc.constantFrom<ServingHealth>('up', 'suspect', 'down'), { minLength: 5, maxLength: 5 })
  .map((states) => ({ stateOf: (node: string) => states[nodes.indexOf(node)]! }));
const copies = fc.integer({ min: 1, max: 5 });

describe('servingNodes', () => {
  it('are the holders that are not down, in order, where no fallback is wanted', () => {
    fc.assert(
      fc.property(anyHealth, copies, (health, count) => {
        const { serving, down, fallbacks } = servingNodes(nodes, count, health, 'fail');
        expect(serving).toEqual(nodes.slice(0, count).filter((node) => health.stateOf(node) !== 'down'));
        expect([...serving, ...down].sort()).toEqual(nodes.slice(0, count));
        expect(fallbacks).toEqual([]);
      }),
    );
  });

  it('are as many as there are copies with fallback nodes, for as long as nodes are live', () => {
    fc.assert(
      fc.property(anyHealth, copies, (health, count) => {
        const { serving, down, fallbacks } = servingNodes(nodes, count, health, 'spill');
        const live = nodes.filter((node) => health.stateOf(node) !== 'down');
        expect(serving).toEqual(live.slice(0, Math.min(count, live.length)));
        expect(fallbacks.every((node) => !nodes.slice(0, count).includes(node))).toBe(true);
        expect(down.every((node) => health.stateOf(node) === 'down')).toBe(true);
      }),
    );
  });
});

describe('readOrder', () => {
  it('puts suspect nodes last and changes nothing else', () => {
    fc.assert(
      fc.property(anyHealth, (health) => {
        const serving = nodes.filter((node) => health.stateOf(node) !== 'down');
        const ordered = readOrder(serving, health);
        expect([...ordered].sort()).toEqual([...serving].sort());
        const ranks = ordered.map((node) => (health.stateOf(node) === 'up' ? 0 : 10) + nodes.indexOf(node));
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      }),
    );
  });
});

describe('requiredAcknowledgements', () => {
  it.each([
    [1, 1, 1, 1],
    [2, 1, 2, 2],
    [3, 1, 2, 3],
    [4, 1, 3, 4],
    [5, 1, 3, 5],
  ])('of %i copies are %i for one, %i for a quorum, %i for all', (count, one, quorum, all) => {
    expect([
      requiredAcknowledgements('one', count),
      requiredAcknowledgements('quorum', count),
      requiredAcknowledgements('all', count),
    ]).toEqual([one, quorum, all]);
  });
});

describe('attemptTimeoutMs', () => {
  it('leaves every try its part, and never goes past the deadline by more than a millisecond a try', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), copies, (timeoutMs, tries) => {
        let leftMs = timeoutMs;
        for (let left = tries; left > 0; left--) {
          const part = attemptTimeoutMs(leftMs, left);
          expect(part).toBeGreaterThanOrEqual(1);
          leftMs -= part;
        }
        expect(leftMs).toBeGreaterThanOrEqual(-tries);
        expect(leftMs).toBeLessThanOrEqual(0);
      }),
    );
  });
});
