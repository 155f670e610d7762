/**
 * Runs the benchmarks of speed one after the other, or those that are named.
 *
 *   npm run bench -- [ring] [memory] [redis] [--smoke] [--json FILE]
 *
 * `--smoke` makes each a short check that it still works; `--json` writes what `ring` measured to a file.
 */

import { parseArgs } from 'node:util';
import { benchRing } from './ring/main.ts';

const parts = ['ring', 'memory', 'redis'] as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.find((name) => !parts.some((part) => part === name));
if (unknown !== undefined) throw new Error(`There is no benchmark ${unknown}; there are ${parts.join(', ')}.`);

for (const part of parts) {
  if (positionals.length > 0 && !positionals.includes(part)) continue;
  if (part === 'ring') await benchRing(values.smoke, values.json);
  if (part === 'memory') await import('./memory.ts');
  if (part === 'redis') await import('./redis.ts');
}
