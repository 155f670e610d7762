import { describe, expect, it } from 'vitest';
import { identityOf, reportOf } from '../../src/server/link/server-identity.ts';

const runId = '0123456789abcdef0123456789abcdef01234567';
const hello = ['server', 'valkey', 'version', '8.1.0', 'proto', 2, 'mode', 'standalone', 'role', 'replica'];
const info = [`redis_version:7.2.4`, 'server_name:valkey', 'valkey_version:8.1.0', `run_id:${runId}`].join('\r\n');

describe('what a server says of itself', () => {
  it('is taken from the replies to HELLO and INFO', () => {
    const report = { make: 'valkey', version: '8.1.0', runId, role: 'replica' };
    expect(reportOf(identityOf(hello, info))).toEqual(report);
    expect(reportOf(identityOf(new Map([['server', 'redis']]), undefined))).toEqual({ make: 'redis' });
    expect(reportOf(identityOf(new Error('unknown command'), info))).toEqual({ ...report, role: undefined });
    expect(reportOf(identityOf(undefined, 'redis_version:6.2.1'))).toEqual({ version: '6.2.1' });
  });

  it('has the role that was heard last', () => {
    expect(reportOf(identityOf(hello, info), 'master').role).toBe('primary');
    expect(reportOf(identityOf(hello, info), undefined).role).toBe('replica');
  });

  it('takes no text that is long or cannot be printed', () => {
    for (const text of ['', 'a b', '8.1\n0', 'x'.repeat(65), '\u001b[31m']) {
      expect(reportOf(identityOf(['server', text, 'version', text], undefined))).toEqual({});
    }
  });
});
