/** What an application pays, in bundles, for what it imports; and that placements need nothing of Node.js. */

import { runInNewContext } from 'node:vm';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Consumer } from '../support/consumer.ts';

describe('a minified bundle of the packed package', () => {
  let consumer: Consumer;
  beforeAll(() => {
    consumer = new Consumer();
  });
  afterAll(() => consumer[Symbol.dispose]());

  async function bundle(contents: string, options: BuildOptions = {}): Promise<string> {
    const { outputFiles } = await build({
      ...{ stdin: { contents, resolveDir: consumer.folder }, bundle: true, minify: true, write: false },
      ...{ format: 'esm', platform: 'node', logLevel: 'silent' },
      ...options,
    });
    return outputFiles![0]!.text;
  }

  it.each([
    ['planRebalance', 9, "export { planRebalance } from 'shardring'"],
    ['HashRing', 25, "export { HashRing } from 'shardring'"],
    ['HashRing of the entry for placements', 25, "export { HashRing } from 'shardring/placement'"],
    ['ShardedCache and MemoryBackend', 115, "export { MemoryBackend, ShardedCache } from 'shardring'"],
  ])('with %s takes at most %i kB', async (_, mostKb, contents) => {
    expect((await bundle(contents)).length / 1_000).toBeLessThanOrEqual(mostKb);
  });

  it.each(['shardring', 'shardring/placement', 'shardring/compat', 'shardring/testing', 'shardring/keyv'])(
    'leaves nothing of %s that is not used',
    async (entry) => {
      // What package.json says of side effects would let the bundler pass over whole files.
      const asIfWithEffects: Plugin = {
        name: 'as-if-with-effects',
        setup({ onResolve, resolve }) {
          onResolve({ filter: /^(\.|shardring)/ }, async ({ path, pluginData, ...from }) => {
            if (pluginData === 'resolving') return undefined;
            return { ...(await resolve(path, { ...from, pluginData: 'resolving' })), sideEffects: true };
          });
        },
      };
      expect(await bundle(`import '${entry}'`, { plugins: [asIfWithEffects] })).toBe('');
    },
  );

  it('cannot be for a browser where it needs a module of Node.js', async () => {
    const forBrowser = bundle("export { ShardedCache } from 'shardring'", { platform: 'browser' });
    await expect(forBrowser).rejects.toThrow('Could not resolve');
  });

  const program = `
    const nodes = ['a', 'b', 'c'].map((id) => ({ id }));
    const before = placement.HashRing.create(nodes);
    const keys = ['user:1', 'a {tag} in it', 'ключ', '💥'.repeat(40), 'x'.repeat(2000)];
    JSON.stringify({
      owners: keys.map((key) => before.preferenceList(key, 2)),
      moved: placement.planRebalance(before, before.withNode({ id: 'd' })).movedShare,
      restored: placement.placementFromSnapshot(JSON.stringify(before.toSnapshot())).checksum === before.checksum,
    });`;

  it.each([
    ['that has WebAssembly', ''],
    ['that may not compile WebAssembly', 'delete globalThis.WebAssembly;'],
  ])('with placements finds the same nodes in a browser %s', async (_, prelude) => {
    const options = { platform: 'browser', format: 'iife', globalName: 'placement' } as const;
    const code = await bundle("export * from 'shardring/placement'", options);
    // What the language does not bring by itself, and every browser has.
    const inBrowser = runInNewContext(`${prelude}${code};${program}`, { TextEncoder, atob });
    const here = runInNewContext(program, { placement: await import('../../src/placement/index.ts') });
    expect(inBrowser).toBe(here);
    expect(JSON.parse(inBrowser)).toMatchObject({ restored: true });
  });
});
