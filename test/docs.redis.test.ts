import { describe, expect, it } from 'vitest';
import { findExamples, runProgram, writeExample } from './support/doc-examples.ts';
import { startRedis } from './support/redis.ts';

describe('the examples that need servers', () => {
  const examples = findExamples().filter(({ kind }) => kind === 'redis');

  it('exist', () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  it.each(examples.map((example) => [example.place, example] as const))(
    'run on real servers: %s',
    async (_, example) => {
      const servers = await Promise.all([1, 2, 3].map(() => startRedis()));
      try {
        const code = servers.reduce(
          (text, { port }, index) =>
            text
              .replaceAll(`cache-${index + 1}:6379`, `127.0.0.1:${port}`)
              .replaceAll(`localhost:700${index + 1}`, `127.0.0.1:${port}`),
          example.code,
        );
        const printed = await runProgram(writeExample({ ...example, code }));
        if (example.output === undefined) expect(printed).not.toBe('');
        else expect(printed).toBe(example.output);
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
      }
    },
  );
});
