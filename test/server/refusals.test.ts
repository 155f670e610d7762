import { describe, expect, it } from 'vitest';
import { NodeReplyError } from '../../src/errors/index.ts';
import { isOfServer, isStateOfServer, refusesAll, replyKindOf } from '../../src/server/link/refusals.ts';

const refusals: readonly [text: string, concerns: 'call' | 'user' | 'server' | 'all'][] = [
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'call'],
  ['ERR syntax error', 'call'],
  ['constructor', 'call'],
  ['NOPERM this user has no permissions to run the command', 'user'],
  ['NOREPLICAS Not enough good replicas to write.', 'server'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'server'],
  ['BUSY Redis is busy running a script.', 'server'],
  ['LOADING Redis is loading the dataset in memory', 'all'],
  ['NOAUTH Authentication required.', 'all'],
];

describe('an error reply', () => {
  it.each(refusals)('"%s" concerns the %s', (text, concerns) => {
    const refusal = new Error(text);
    expect(isOfServer(refusal)).toBe(concerns !== 'call');
    expect(isStateOfServer(refusal)).toBe(concerns === 'server' || concerns === 'all');
    expect(refusesAll(refusal)).toBe(concerns === 'all');
  });

  it.each(refusals)('concerns the server in a transaction as it does alone: "%s"', (text, concerns) => {
    const ofExec = new Error(`EXECABORT Transaction discarded because of: ${text}`);
    expect(isOfServer(ofExec)).toBe(concerns !== 'call');
    const ofCommand = Object.assign(new Error('EXECABORT Transaction discarded because of previous errors.'), {
      previousErrors: [new Error(text)],
    });
    expect(isOfServer(ofCommand)).toBe(concerns !== 'call');
  });

  it('about too few replicas may be retried, and says what is wrong', () => {
    const error = new NodeReplyError('a', 'set', replyKindOf('NOREPLICAS Not enough good replicas to write.'));
    expect(error).toMatchObject({ kind: 'NOREPLICAS', retryable: true });
    expect(error.message).toContain('too few of its replicas are connected');
  });
});
