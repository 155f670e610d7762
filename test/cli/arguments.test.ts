import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNodeList, readNodes } from '../../src/cli/arguments.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { MemoryHost } from './host.ts';

const parse = (list: string) => parseNodeList('--nodes', list);
const node = (id: string, weight = 1, zone?: string) => ({ id, weight, zone });

/** The same list as text: `parseNodeList` gives the nodes back. */
function printNodeList(nodes: readonly ReturnType<typeof node>[]): string {
  return nodes
    .map(({ id, weight, zone }) => {
      const parts = [
        escapeText(id),
        weight === 1 ? '' : `:${weight}`,
        zone === undefined ? '' : `@${escapeText(zone)}`,
      ];
      return parts.join('');
    })
    .join(',');
}

const escapeText = (text: string) =>
  text.replace(/[\\,:@]/g, '\\$&').replace(/^\s+|\s+$/g, (blanks) => blanks.replace(/\s/g, '\\$&'));

const nameArbitrary = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.stringMatching(/^[\\,:@ a\t]+$/));
const nodeArbitrary = fc.record({
  id: nameArbitrary,
  weight: fc.double({ min: 1e-9, max: 1_000, noNaN: true }),
  zone: fc.option(nameArbitrary, { nil: undefined }),
});

describe('a list of nodes', () => {
  it('is read as id, weight and zone', () => {
    expect(parse('a,b:2,c@eu,d:.5@us-1')).toEqual([
      node('a'),
      node('b', 2),
      node('c', 1, 'eu'),
      node('d', 0.5, 'us-1'),
    ]);
  });

  it('comes back from its own text, whatever ids and zones hold', () => {
    fc.assert(
      fc.property(fc.array(nodeArbitrary, { minLength: 1 }), (nodes) => {
        expect(parse(printNodeList(nodes))).toEqual(nodes);
      }),
    );
  });

  it('takes an escaped character as part of a name', () => {
    expect(parse('10.0.0.1\\:6379:2@eu\\@home,a\\,b,c\\\\')).toEqual([
      node('10.0.0.1:6379', 2, 'eu@home'),
      node('a,b'),
      node('c\\'),
    ]);
  });

  it('drops blanks around names unless they are escaped', () => {
    expect(parse(' a , b : 2 @ eu ,\\ c\\ ')).toEqual([node('a'), node('b', 2, 'eu'), node(' c ')]);
  });

  it.each([
    ['', 'an id that is not empty'],
    ['a,', 'as node 2'],
    [':2', 'an id that is not empty'],
    ['a:', 'a weight above 0'],
    ['a:0', 'a weight above 0'],
    ['a:-1', 'a weight above 0'],
    ['a:0x10', 'a weight above 0'],
    ['a:NaN', 'a weight above 0'],
    ['10.0.0.1:6379', 'in an address, write \\:'],
    ['a:1:2', 'one weight'],
    ['::1', 'one weight'],
    ['a@', 'a zone after @'],
    ['a@x@y', 'one zone'],
    ['a@x:2', 'id:weight@zone'],
    ['a\\', 'a character after the last \\'],
  ])('is refused when it is %j, and the message says what was expected', (list, expected) => {
    expect(() => parse(list)).toThrow(UsageError);
    expect(() => parse(list)).toThrow(expected);
  });

  it('has no id twice', async () => {
    await expect(readNodes('--nodes', 'a,b,a:2', new MemoryHost())).rejects.toThrow('got "a" twice');
  });
});

describe('a file of nodes', () => {
  const read = (content: unknown) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    return readNodes('--nodes', '@nodes.json', new MemoryHost({ files: { 'nodes.json': text } }));
  };

  it('holds ids and objects, with names as they are', async () => {
    expect(await read(['a:b@c', { id: 'd', weight: 6379, zone: 'eu' }])).toEqual([
      node('a:b@c'),
      node('d', 6379, 'eu'),
    ]);
  });

  it.each([['{'], [{}], [[]]])('is refused when it is %j', async (content) => {
    await expect(read(content)).rejects.toThrow(UsageError);
  });

  it('is refused with the place of a field that is wrong', async () => {
    await expect(read(['a', { id: 'b', wieght: 2 }])).rejects.toThrow(InvalidArgumentError);
    await expect(read(['a', { id: 'b', wieght: 2 }])).rejects.toThrow('--nodes[1].wieght');
  });
});
