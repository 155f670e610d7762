/**
 * Runs the benchmarks of speed one after the other, or those that are named.
 *
 *   npm run bench -- [ring] [memory] [redis] [redis-failure] [--smoke] [--json FILE]
 *
 * `--smoke` makes each a short check that it still works; `--json` writes what the one that is named measured to a file.
 */

import { parseArgs } from 'node:util';

/** Each is loaded when its turn comes, so that none has the others' code in its process. */
const parts: Record<string, (smoke: boolean, jsonFile: string | undefined) => Promise<unknown>> = {
  ring: async (smoke, jsonFile) => (await import('./ring/main.ts')).benchRing(smoke, jsonFile),
  memory: () => import('./memory.ts'),
  redis: async (smoke, jsonFile) => (await import('./redis/main.ts')).benchRedis(smoke, jsonFile),
  'redis-failure': async (smoke, jsonFile) => (await import('./redis/failure/main.ts')).benchFailure(smoke, jsonFile),
};
const names = Object.keys(parts);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`There is no benchmark ${unknown}; there are ${names.join(', ')}.`);
const chosen = positionals.length === 0 ? names : names.filter((name) => positionals.includes(name));
if (values.json !== undefined && (chosen.length > 1 || chosen[0] === 'memory')) {
  throw new Error('--json takes one benchmark: ring, redis or redis-failure.');
}

for (const name of chosen) await parts[name]?.(values.smoke, values.json);
