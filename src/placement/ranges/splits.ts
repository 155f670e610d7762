/**
 * The starts of ranges of keys and their owners: plain lists, never changed in place.
 *
 * Keys are ordered by their UTF-16 code units, as `<` does, on every machine and in every locale alike. That is also
 * the order of their UTF-8 bytes, but for one case: a character above U+FFFF (an emoji, written with surrogates) sorts
 * before U+E000 to U+FFFF here and after them in UTF-8.
 *
 *   splits     ascending by `start`, all different; the first starts at the empty key, the least there is
 *   a range    [start of a split, start of the next), and after the last split up to the end of all keys
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectIterable, expectOptions, expectString } from '../../runtime/validate.ts';
import { compareIds, type NodeId } from '../node.ts';

/** The range that starts at `start`, and the id of the node that owns its keys. */
export interface RangeSplit {
  readonly start: string;
  readonly node: NodeId;
}

/**
 * Sorts and checks what a caller wrote.
 * @throws {InvalidArgumentError} A split is not one, names no node, starts where another does, or none starts at ''.
 */
export function parseSplits(input: unknown, isNode: (id: NodeId) => boolean): readonly RangeSplit[] {
  const given = [...expectIterable('splits', input as Iterable<unknown>)].map((split, index) => {
    const { start, node } = expectOptions(`splits[${index}]`, split, ['start', 'node']);
    const field = `splits[${index}].node`;
    const owner = expectString(field, node);
    if (!isNode(owner)) throw new InvalidArgumentError(field, 'the id of a node', owner, true);
    return { start: expectString(`splits[${index}].start`, start), node: owner };
  });
  const sorted = [...given].sort((a, b) => compareIds(a.start, b.start));
  for (const [index, split] of sorted.entries()) {
    const field = `splits[${given.indexOf(split)}].start`;
    if (index === 0 && split.start !== '') {
      throw new InvalidArgumentError(field, 'the empty key, because the first range must start there', split.start);
    }
    if (index > 0 && sorted[index - 1]!.start === split.start) {
      throw new InvalidArgumentError(field, 'a start that no other split has', split.start);
    }
  }
  return freeze(sorted);
}

/** Index of the range that `key` is in: that of the last start that is not after it. There must be a range. */
export function rangeIndex(starts: readonly string[], key: string): number {
  let low = 0;
  let high = starts.length;
  // starts[low] <= key < starts[high], where the start after the last counts as after every key.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= key) low = middle;
    else high = middle;
  }
  return low;
}

/** Cuts the range at `index` in two; the second begins at `start` and belongs to `node`. */
export function splitRange(splits: readonly RangeSplit[], index: number, start: string, node: NodeId) {
  return freeze(splits.toSpliced(index + 1, 0, { start, node }));
}

/** Joins the range at `index`, which is not the first, to the one before it. */
export function mergeRange(splits: readonly RangeSplit[], index: number) {
  return freeze(splits.toSpliced(index, 1));
}

/** Gives the range at `index` to `node`. */
export function assignRange(splits: readonly RangeSplit[], index: number, node: NodeId) {
  return freeze(splits.with(index, { start: splits[index]!.start, node }));
}

/**
 * Takes every range from a node: each is joined to the one before it that another node has, those before all of these
 * to the one after. Where no other node has a range, `heir` gets the one range there is then.
 */
export function releaseRanges(splits: readonly RangeSplit[], node: NodeId, heir: NodeId | undefined) {
  const [first, ...rest] = splits.filter((split) => split.node !== node);
  if (first !== undefined) return freeze([{ start: '', node: first.node }, ...rest]);
  return freeze(heir === undefined ? [] : [{ start: '', node: heir }]);
}

/** Without the splits on both sides of which the same node stands: the same mapping, written in one way only. */
export function withoutIdleSplits(splits: readonly RangeSplit[]): readonly RangeSplit[] {
  return splits.filter(({ node }, index) => index === 0 || splits[index - 1]!.node !== node);
}

function freeze(splits: readonly RangeSplit[]): readonly RangeSplit[] {
  return Object.freeze(splits.map((split) => Object.freeze(split)));
}
