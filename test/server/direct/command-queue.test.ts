import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CommandQueue } from '../../../src/server/direct/command-queue.ts';
import { DirectCommand } from '../../../src/server/direct/direct-command.ts';

it('CommandQueue gives commands back in their order, however many come and go in between', () => {
  const stretch = fc.record({ pushed: fc.nat(3_000), shifted: fc.nat(3_000) });
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      const queue = new CommandQueue();
      let [pushed, shifted] = [0, 0];
      for (const one of stretches) {
        for (let time = 0; time < one.pushed; time++) queue.push(new DirectCommand(`${pushed++}`));
        for (let time = 0; time < one.shifted; time++) {
          const expected = shifted < pushed ? `${shifted++}` : undefined;
          if (queue.shift()?.name !== expected) throw new Error(`not command ${expected}`);
        }
        expect(queue.length).toBe(pushed - shifted);
      }
    }),
    { numRuns: 100 },
  );
});
