/**
 * Assembles `src/hash/wasm/*.wat` into `src/hash/wasm/binaries.ts`. Run it after a change of the text:
 *
 *   npx tsx scripts/build-wasm.ts
 *
 * `test/hash/xxh32-wasm.test.ts` assembles the text again and compares, so that nobody has to trust the binaries.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import createAssembler from 'wabt';

const folder = new URL('../src/hash/wasm/', import.meta.url);

/** The modules by their names in `binaries.ts`. */
const modules = {
  memoryModule: 'xxh32-memory.wat',
  stringModule: 'xxh32-string.wat',
  stringProbe: 'string-probe.wat',
};

/** Of the formatter: `binaries.ts` is to be left as it is by it. */
const lineWidth = 120;

/** The text of `binaries.ts`. */
export async function makeBinaries(): Promise<string> {
  const { parseWat } = await createAssembler();
  const lines = Object.entries(modules).map(([name, file]) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const module = parseWat(file, text, { reference_types: true });
    module.validate();
    const { buffer } = module.toBinary({});
    module.destroy();
    const base64 = Buffer.from(buffer).toString('base64');
    const oneLine = `export const ${name} = '${base64}';`;
    const code = oneLine.length <= lineWidth ? oneLine : `export const ${name} =\n  '${base64}';`;
    return `/** ${file}, ${buffer.length} bytes. */\n${code}\n`;
  });
  const header = '/** Made by scripts/build-wasm.ts from the .wat files beside this one. Do not edit. In base64. */\n\n';
  return header + lines.join('\n');
}

export const binariesFile = fileURLToPath(new URL('binaries.ts', folder));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(binariesFile, await makeBinaries());
