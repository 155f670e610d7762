import { expect, it } from 'vitest';
import { drawPlan } from '../../../src/cli/draw/plan-view.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../../src/rebalance/plan.ts';
import { smallRing } from './rings.ts';

it('a plan that is small enough to check by hand is drawn in full', () => {
  // Without b, the slots before a's point go to a and those after c's point as well: a's arc begins where c's ends.
  const text = drawPlan(planRebalance(smallRing, smallRing.withoutNode('b')));
  expect(text).toBe(`\
moved share          56.25 %  144 slots
theoretical minimum  56.25 %  144 slots
needless moves        0.00 %  0 slots

from  to  slots    share
b     a     144  56.25 %

node   before    after    change  slots in  slots out
a     19.53 %  75.78 %  +56.25 %       144          0
b     56.25 %   0.00 %  -56.25 %         0        144
c     24.22 %  24.22 %    0.00 %         0          0
`);
});

it('keys are counted in copies where there are copies, and bytes only where they are known', () => {
  const after = HashRing.create([{ id: 'a' }, { id: 'b' }], { slots: 256 });
  const before = HashRing.create([{ id: 'a' }], { slots: 256 });
  const view = (keySample: Iterable<string | readonly [string, number]>) =>
    drawPlan(planRebalance(before, after, { replicationFactor: 2, keySample })).split('\n')[3];
  expect(view(['x', 'y'])).toMatch(/^key copies moved +50\.00 % +2 of 4$/);
  expect(view([['x', 600], 'y'])).toMatch(/2 of 4, 600 B$/);
  expect(view([])).toMatch(/^key copies moved +- +0 of 0$/);
});

it('an id with terminal escapes is shown in readable form', () => {
  const before = HashRing.create([{ id: 'a' }], { slots: 256 });
  expect(drawPlan(planRebalance(before, before.withNode({ id: '\u001b[2J' })))).toContain('\\u{1b}[2J');
});
