/**
 * What the golden vectors of the point rings share: the keys, and the form in which the owners are written down.
 *
 * The keys are made by the rule below and not stored. A vector then is one character for each key: the index, among the
 * nodes in the order in which the other program was given them, of the node that it chose.
 */

import { readFileSync, writeFileSync } from 'node:fs';

/** One configuration of the other program, and what it answered. */
export interface PointRingVector {
  readonly name: string;
  /** In the order in which the other program was given them. */
  readonly nodes: readonly { readonly id: string; readonly weight?: number }[];
  /** Options of our function that stand for the other program's settings. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** One character a key, see {@link encodeOwners}. */
  readonly owners: string;
  /** The first three distinct nodes of each key, three characters a key, where the other program can tell. */
  readonly firstThree?: string;
}

export interface PointRingVectors {
  /** The program and its version. */
  readonly program: string;
  readonly vectors: readonly PointRingVector[];
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const encodeOwners = (indexes: readonly number[]): string => indexes.map((index) => digits[index]!).join('');
export const decodeOwners = (text: string): number[] => [...text].map((digit) => digits.indexOf(digit));

/** 1,200 keys: short, random, spaced, not ASCII, long, tagged, odd. None has a NUL, which C strings cannot hold. */
export function goldenKeys(): string[] {
  const keys = ['', ' ', '0', '-', '\t', '\x7f', 'é', '鍵', '😀', '{}', '{', '}', '}{', '{a}', 'a b', 'a\r\nb', 'ÿ', '%s'];
  // A linear congruential generator (Numerical Recipes); exact in every language with 64-bit integers.
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const hex = () => next().toString(16).padStart(8, '0');
  const words = ['ключ', 'clé', '鍵', '😀', 'schlüssel', 'κλειδί', 'ø', '\u{10ffff}'];
  for (let i = 0; i < 400; i++) keys.push(`user:${i}`);
  for (let i = 0; i < 250; i++) keys.push(`${hex()}-${hex().slice(0, 4)}-${hex()}${hex()}`);
  for (let i = 0; i < 130; i++) keys.push(`a key with ${i} spaces, "quotes" and \\ ${hex()}`);
  for (let i = 0; i < 150; i++) keys.push(`${words[i % 8]}:${i}${words[(i + 3) % 8]}`);
  // Every length up to 61, so that each hash sees each rest of its block, then longer ones.
  for (let i = 0; i < 60; i++) keys.push('abcdefghij'.repeat(7).slice(0, i + 2));
  for (let i = 0; i < 60; i++) keys.push(`${hex()}-`.repeat(3 + i * 4));
  for (let i = 0; i < 100; i++) keys.push([`{tag${i}}:a`, `a{tag${i}}{b}`, `$t${i}$x`, `a{b${i}`, `{}x${i}`][i % 5]!);
  for (let i = 0; keys.length < 1200; i++) keys.push(`${i}`);
  return keys;
}

export function readVectors(folder: string): PointRingVectors {
  return JSON.parse(readFileSync(new URL(`${folder}/vectors.json`, import.meta.url), 'utf8')) as PointRingVectors;
}

export function writeVectors(folder: string, { program, vectors }: PointRingVectors): void {
  const rows = vectors.map((vector) => `    ${JSON.stringify(vector)}`).join(',\n');
  const text = `{\n  "program": ${JSON.stringify(program)},\n  "vectors": [\n${rows}\n  ]\n}\n`;
  writeFileSync(new URL(`${folder}/vectors.json`, import.meta.url), text);
}
