import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/doc-examples.ts';

describe('scripts/newer-servers.sh', () => {
  it('says how to test with another server where there is no apt', () => {
    const directory = mkdtempSync(join(tmpdir(), 'shardring-scripts-'));
    try {
      for (const name of ['bin', 'scripts']) mkdirSync(join(directory, name));
      const script = join(directory, 'scripts/newer-servers.sh');
      copyFileSync(join(root, 'scripts/newer-servers.sh'), script);
      for (const tool of ['bash', 'cat', 'dirname', 'mkdir']) {
        const path = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
        symlinkSync(path, join(directory, 'bin', tool));
      }
      const options = { env: { PATH: join(directory, 'bin') }, encoding: 'utf8' } as const;
      const { status, stdout, stderr } = spawnSync(join(directory, 'bin/bash'), [script], options);
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain('there is no apt-get here');
      expect(stderr).toContain('REDIS_SERVER=/path/to/redis-server npm run test:server');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
