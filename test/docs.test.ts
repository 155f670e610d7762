import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { names as cacheOptionNames } from '../src/cache/options.ts';
import { names as redisOptionNames } from '../src/redis/options.ts';
import { backendOptionNames } from '../src/server/options.ts';
import { findExamples, root, runProgram, writeExample } from './support/doc-examples.ts';

const examples = findExamples();

describe('the examples of README and docs', () => {
  it('compile under the strictest flags', async () => {
    expect(examples.length).toBeGreaterThan(8);
    const files = examples.map(writeExample);
    const config = join(dirname(files[0]!), 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ extends: '../../tsconfig.json', include: [], files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compiled = promisify(execFile)(process.execPath, [tsc, '-p', config], { cwd: root });
    expect(await compiled.then(() => '').catch(({ stdout }) => stdout)).toBe('');
  });

  it.each(examples.filter(({ kind }) => kind === 'run').map((example) => [example.place, example] as const))(
    'run as they stand and print what the page says: %s',
    async (_, example) => {
      expect(example.output, 'a block of `output` must follow').toBeDefined();
      expect(await runProgram(writeExample(example))).toBe(example.output);
    },
  );

  it('begin with a program of 12 lines', () => {
    const program = examples.find(({ place }) => place.startsWith('README.md'))!.code;
    const lines = program.trim().split('\n');
    expect(lines.length).toBe(12);
  });
});

describe('README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');

  it('has programs of JavaScript for servers, on addresses of this machine, which run as they are pasted', async () => {
    const programs = examples.filter(({ place, kind }) => place.startsWith('README.md') && kind === 'redis');
    expect(programs.length).toBeGreaterThan(1);
    for (const { language, code } of programs) {
      expect(language).toBe('js');
      await expect(transform(code, { loader: 'js' })).resolves.toMatchObject({ warnings: [] });
      for (const [, port] of code.matchAll(/redis:\/\/([^']+)'/g)) expect(port).toMatch(/^localhost:700[123]$/);
    }
    for (const port of [7001, 7002, 7003])
      expect(readme).toContain(`docker run -d -p 127.0.0.1:${port}:6379 valkey/valkey\n`);
  });

  it('has no relative links or pictures, which npm cannot follow without a repository, but names files that are in the package', () => {
    // As Markdown or HTML, of pages and of pictures.
    const targets = [
      ...readme.matchAll(/\]\(([^)\s]*)|\b(?:src|srcset|href)\s*=\s*["']?([^"'\s>]*)|^\[[^\]]+\]:\s*(\S+)/gm),
    ];
    const relative = (link: string) => !/^(https?:|#)/.test(link);
    expect(targets.map(([, ...found]) => found.find((each) => each !== undefined)!).filter(relative)).toEqual([]);
    const named = [...readme.matchAll(/`((?:docs|benchmarks)\/[\w-]+\.(?:md|svg)|CHANGELOG\.md)`/g)].map(
      ([, file]) => file!,
    );
    expect(new Set(named).size).toBeGreaterThan(10);
    for (const file of named) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('names every page of the docs', () => {
    for (const page of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))) {
      expect(readme).toContain(`\`docs/${page}\``);
    }
  });
});

describe('README and docs', () => {
  const pages = ['README.md', 'CHANGELOG.md', 'docs/guarantees.md', 'docs/architecture.md', 'docs/rebalancing.md'];

  it('link only to headings that are there', () => {
    for (const page of new Set([...pages, ...findPages()])) {
      for (const [, target, anchor] of readFileSync(join(root, page), 'utf8').matchAll(
        /\]\((?!https?:)([^)#]*)#([^)]+)\)/g,
      )) {
        const linked = readFileSync(join(root, target === '' ? page : join(dirname(page), target!)), 'utf8');
        const headings = [...linked.matchAll(/^#+ (.+)$/gm)].map(([, text]) => anchorOf(text!));
        expect(headings, `${page} links to ${target}#${anchor}`).toContain(anchor);
      }
    }
  });

  it('link only to files that are there, and in the package too', () => {
    for (const page of new Set([...pages, ...findPages()])) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        const path = join(dirname(page), target!);
        expect(existsSync(join(root, path)), `${page} links to ${target}`).toBe(true);
        expect(path, `${page} links to ${target}`).toMatch(
          /^(docs\/|benchmarks\/(README\.md$|results\/)|examples\/[\w-]+\.ts$|[A-Z]+\.md$)/,
        );
      }
    }
  });

  it('name only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const page of findPages()) {
      for (const [, name] of readFileSync(join(root, page), 'utf8').matchAll(/npm run ([a-z:-]+)/g)) {
        expect(Object.keys(scripts), `${page} names the script ${name}`).toContain(name);
      }
    }
  });

  it('list every error code', () => {
    const page = readFileSync(join(root, 'docs/cache.md'), 'utf8');
    const files = readdirSync(join(root, 'src/errors'));
    const source = files.map((file) => readFileSync(join(root, 'src/errors', file), 'utf8')).join('\n');
    const codes = [...source.matchAll(/readonly code = '(ERR_\w+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(15);
    for (const code of codes) expect(page).toContain(`| \`${code}\` |`);
  });

  // What an entry exports is public, so the names are taken from its text.
  const session = readFileSync(join(root, 'src/adapters/session.ts'), 'utf8');
  const sessionOptionNames = /const optionNames = \[(.*)\]/.exec(session)![1]!.match(/\w+/g)!;

  it.each([
    ['README.md', '## Options', cacheOptionNames],
    ['docs/sharded-redis.md', '## Options', redisOptionNames],
    ['docs/redis.md', '# Redis and Valkey', backendOptionNames],
    ['docs/adapters.md', '## Sessions of express', sessionOptionNames],
  ] as const)(
    'have in %s, below "%s", a row for every option that there is and for no other',
    (page, heading, known) => {
      const [, section] = readFileSync(join(root, page), 'utf8').split(new RegExp(`^${heading}$`, 'm'));
      // The first table of the section.
      const table = /^\|[\s\S]*?\n\n/m.exec(section!)![0];
      const documented = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
      expect([...documented].sort()).toEqual([...known].sort());
    },
  );
});

function findPages(): string[] {
  const ofDocs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'benchmarks/README.md', ...ofDocs.map((name) => `docs/${name}`)];
}

/** As the pages of a repository are shown: lower case, no punctuation, hyphens for spaces. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
