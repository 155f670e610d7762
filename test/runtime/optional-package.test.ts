import { afterEach, describe, expect, it, vi } from 'vitest';
import { OptionalPackage } from '../../src/runtime/optional-package.ts';

/** A name that `require` refuses for another reason than that it is missing, as it does in bundles. */
const name = 'node:none';

describe('an optional package, as bundles bring it', () => {
  afterEach(() => vi.restoreAllMocks());

  it('says what went wrong in loading it, where that is its own fault', async () => {
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    const load = () => Promise.reject(new ReferenceError('something is not defined'));
    const optional = new OptionalPackage({
      ...{ name, neededFor: 'shardring/redis', versions: '1', load, onLoaded: () => undefined },
    });
    await optional.look();
    expect(optional.makeError?.().message).toContain('could not be loaded: something is not defined');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['is not there', async () => undefined],
    ['is not initialised', () => Promise.reject(new ReferenceError("Cannot access 'index' before initialization"))],
  ])(
    'says what to do where it %s yet because the top level waits, and is looked for again',
    async (_what, loadEarly) => {
      const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue();
      const onLoaded = vi.fn();
      let isTopLevelOver = false;
      const load = () => (isTopLevelOver ? Promise.resolve({ default: 'the package' }) : loadEarly());
      const optional = new OptionalPackage({ name, neededFor: 'shardring/redis', versions: '1', load, onLoaded });
      await optional.look();
      await optional.look();
      expect(onLoaded).not.toHaveBeenCalled();
      expect(optional.makeError?.()).toMatchObject({
        code: 'ERR_MISSING_DEPENDENCY',
        message: expect.stringContaining(`begin your entry with: import '${name}'`),
      });
      isTopLevelOver = true;
      await optional.look();
      expect(onLoaded.mock.calls).toEqual([['the package']]);
      expect([optional.look(), optional.makeError]).toEqual([undefined, undefined]);
      // It may be needed only now.
      expect(warnings).not.toHaveBeenCalled();
    },
  );

  it('is reported as still loading until the result is known', async () => {
    const load = async () => {
      for (let tick = 0; tick < 5; tick++) await null;
      return undefined;
    };
    const optional = new OptionalPackage({
      ...{ name, neededFor: 'shardring/redis', versions: '1', load, onLoaded: () => undefined },
    });
    await optional.look();
    for (let tick = 0; tick < 40; tick++) {
      expect(optional.look()).toBeInstanceOf(Promise);
      await null;
    }
  });
});
