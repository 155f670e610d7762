import { list } from '@ioredis/commands';
import { describe, expect, it } from 'vitest';
import { leavesConnectionAlone } from '../../src/server/lending/session-commands.ts';

const leavesAlone = (text: string) => {
  const [name = '', ...args] = text.split(' ');
  return leavesConnectionAlone(name, args);
};

describe('the effect on the next user of a connection', () => {
  it.each([
    'AUTH someone secret',
    'SELECT 3',
    'HELLO 3',
    'RESET',
    'CLIENT TRACKING ON',
    'CLIENT NO-EVICT ON',
    'CLIENT NO-TOUCH ON',
    'CLIENT REPLY OFF',
    'CLIENT SETNAME mine',
    'CLIENT SETINFO LIB-NAME mine',
    'CLIENT CACHING YES',
    'CLIENT CAPA redirect',
    'client',
    'SUBSCRIBE channel',
    'MONITOR',
    'READONLY',
    'ASKING',
    'SCRIPT DEBUG YES',
    'HIMPORT PREPARE fields a b',
    'QUIT',
    'SYNC',
    'MODULE.COMMAND of a module',
    'constructor',
    '__proto__',
  ])('is possible for %s', (command) => {
    expect(leavesAlone(command)).toBe(false);
  });

  it.each([
    'GET key',
    'set key value',
    'BLPOP list 0',
    'EVAL script 0',
    'script exists sha',
    'Client Id',
    'client list id 7',
    'WATCH key',
    'MULTI',
    'EXEC',
    'PING',
    'XGROUP CREATE stream group 0',
    'WAIT 0 100',
  ])('is ruled out for %s', (command) => {
    expect(leavesAlone(command)).toBe(true);
  });

  it('is not ruled out for commands about the connection or the server', () => {
    const others = list.filter((name) => !leavesConnectionAlone(name, []));
    expect(others).toEqual(
      expect.arrayContaining(['auth', 'client', 'hello', 'himport', 'monitor', 'select', 'reset']),
    );
  });
});
