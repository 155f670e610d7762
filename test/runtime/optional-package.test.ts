import { afterEach, describe, expect, it, vi } from 'vitest';
import { OptionalPackage } from '../../src/runtime/optional-package.ts';

describe('an optional package, as bundles bring it', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each<[string, () => Promise<unknown>]>([
    ['is not there', async () => undefined],
    ['is not initialised', () => Promise.reject(new ReferenceError("Cannot access 'index' before initialization"))],
  ])('says what to do where it %s yet, as the top level waits for it', async (_what, load) => {
    const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const onLoaded = vi.fn();
    // A name that `require` refuses for another reason than that it is missing, as it does in bundles.
    const name = 'node:none';
    const optional = new OptionalPackage({ name, neededFor: 'shardring/redis', versions: '1', load, onLoaded });
    await optional.loading;
    expect(onLoaded).not.toHaveBeenCalled();
    expect(optional.makeError?.()).toMatchObject({
      code: 'ERR_MISSING_DEPENDENCY',
      message: expect.stringContaining(`Begin your entry with: import '${name}'`),
    });
    expect(warnings).toHaveBeenCalledOnce();
  });
});
