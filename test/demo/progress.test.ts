/** Progress as text. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressBar, progressLine } from '../../examples/demo/output/progress.ts';

describe('the progress bar', () => {
  it('grows by eighths of a character', () => {
    const at = (done: number) => progressBar({ label: 'loading', done, total: 224, elapsedMs: 1_000 });
    expect(at(0)).toBe(`  loading    ${'░'.repeat(28)}   0 %    0 of 224  0/s`);
    expect(at(3)).toBe(`  loading    ▍${'░'.repeat(27)}   1 %    3 of 224  3/s`);
    expect(at(112)).toBe(`  loading    ${'█'.repeat(14)}${'░'.repeat(14)}  50 %  112 of 224  112/s`);
    expect(at(224)).toBe(`  loading    ${'█'.repeat(28)} 100 %  224 of 224  224/s`);
  });

  it('fits into 80 columns up to a billion', () => {
    const number = fc.integer({ min: 0, max: 1_000_000_000 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1_000, max: 10_000_000 }), (done, total, elapsedMs) => {
        expect(progressBar({ label: 'replaying', done, total, elapsedMs }).length).toBeLessThanOrEqual(80);
      }),
    );
  });

  it('is full when there is nothing to do', () => {
    expect(progressLine({ label: 'loading', done: 0, total: 0, elapsedMs: 0 })).toBe('  loading    100 %  0 of 0');
  });
});
