/**
 * Nodes on the command line.
 *
 *   list  = node *( "," node )
 *   node  = id [ ":" weight ] [ "@" zone ]
 *
 * A backslash takes the next character as it is, so that ids and zones may hold `,`, `:`, `@` and `\`. Blanks around ids
 * and zones are dropped unless escaped. `@FILE` instead of a list reads a JSON array of ids and `{ id, weight, zone }`.
 */

import { type PlacementNode, parseNode } from '../placement/node.ts';
import type { Host } from './host.ts';
import { UsageError } from './usage-error.ts';

/** Above this a weight is more likely the port of an address whose colon was not escaped. */
const maxWeight = 1_000;

const weightForm = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A character of a list, and whether a backslash took away its special meaning. */
interface Char {
  readonly char: string;
  readonly escaped: boolean;
}

/**
 * @param option  As the user typed it, for messages: `--nodes`.
 * @throws {UsageError} The list is not one.
 */
export async function readNodes(option: string, value: string, host: Host): Promise<readonly PlacementNode[]> {
  const isFile = value.startsWith('@');
  const nodes = isFile ? parseNodeFile(option, await host.readText(value.slice(1))) : parseNodeList(option, value);
  const seen = new Set<string>();
  for (const { id } of nodes) {
    if (seen.has(id)) throw new UsageError(`${option}: expected different ids, got ${JSON.stringify(id)} twice`);
    seen.add(id);
  }
  return nodes;
}

export function parseNodeList(option: string, list: string): readonly PlacementNode[] {
  return split(charsOf(option, list), ',').map((chars, index) => parseItem(option, chars, index + 1));
}

function parseItem(option: string, chars: readonly Char[], position: number): PlacementNode {
  const fail = (expected: string) => {
    throw new UsageError(`${option}: expected ${expected}, got ${JSON.stringify(textOf(chars))} as node ${position}`);
  };
  const [idAndWeight = [], zone, ...moreZones] = split(chars, '@');
  if (moreZones.length > 0) fail('one zone (a @ in a name is written \\@)');
  const [id = [], weight, ...moreWeights] = split(idAndWeight, ':');
  if (moreWeights.length > 0) fail('one weight (a : in a name is written \\:)');
  if (zone !== undefined && split(zone, ':').length > 1) fail('the weight before the zone, as id:weight@zone');
  const name = textOf(trim(id));
  if (!name.isWellFormed() || name === '') fail('id[:weight][@zone] with an id that is not empty');
  const zoneName = zone === undefined ? undefined : textOf(trim(zone));
  if (zoneName === '') fail('a zone after @');
  const weightText = weight === undefined ? '1' : textOf(trim(weight));
  const number = Number(weightText);
  if (!weightForm.test(weightText) || number <= 0 || number > maxWeight) {
    fail(`a weight above 0 and at most ${maxWeight} after : (in an address, write \\:)`);
  }
  return { id: name, weight: number, zone: zoneName };
}

function parseNodeFile(option: string, text: string): readonly PlacementNode[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new UsageError(`${option}: expected a file of JSON, got something else`);
  }
  if (!Array.isArray(content) || content.length === 0) {
    throw new UsageError(`${option}: expected a JSON array of ids and { id, weight, zone }`);
  }
  return content.map((node, index) => parseNode(`${option}[${index}]`, typeof node === 'string' ? { id: node } : node));
}

function charsOf(option: string, text: string): readonly Char[] {
  const chars: Char[] = [];
  let escaped = false;
  for (const char of text) {
    if (char === '\\' && !escaped) escaped = true;
    else {
      chars.push({ char, escaped });
      escaped = false;
    }
  }
  if (escaped) throw new UsageError(`${option}: expected a character after the last \\`);
  return chars;
}

/** The parts between the separators, of which there is one more than separators. */
function split(chars: readonly Char[], separator: string): readonly (readonly Char[])[] {
  const parts: Char[][] = [[]];
  for (const item of chars) {
    if (item.char === separator && !item.escaped) parts.push([]);
    else parts.at(-1)!.push(item);
  }
  return parts;
}

function trim(chars: readonly Char[]): readonly Char[] {
  const isText = ({ char, escaped }: Char) => escaped || char.trim() !== '';
  return chars.slice(Math.max(0, chars.findIndex(isText)), chars.findLastIndex(isText) + 1);
}

const textOf = (chars: readonly Char[]) => chars.map(({ char }) => char).join('');
