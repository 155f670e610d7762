import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/doc-examples.ts';

/** The messages of the table: what stands in the first cell of each row of the section. */
function messagesOfPage(): string[] {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const section = page.slice(page.indexOf('\n## Messages'), page.indexOf('\n## Symptoms'));
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message!);
}

/** The sources as one text, in which strings that are put together by `+` over lines are one string. */
function sources(): string {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const text = files.map((name) => readFileSync(join(root, 'src', name), 'utf8')).join('\n');
  return text.replaceAll(/["'`]\s*\+\s*["'`]/g, '');
}

describe('docs/troubleshooting.md', () => {
  const text = sources();

  it('has messages', () => {
    expect(messagesOfPage().length).toBeGreaterThan(15);
  });

  // A message that was changed in the sources is changed on the page too.
  it.each(messagesOfPage())('quotes a message as the sources have it: %s', (message) => {
    for (const part of message.split('…').map((piece) => piece.trim())) {
      if (part.length > 2) expect(text.includes(part), part).toBe(true);
    }
  });
});
