/** What is measured: an operation, how many callers, and when a caller asks again. */

export type Operation = 'get' | 'set' | 'mix' | 'mget';

/**
 * - `closed`: a caller asks again in the continuation of its last answer. All who were answered by one read from a
 *   socket ask within one turn of the event loop, which is kind to batching.
 * - `independent`: each operation starts in a macrotask of its own, with the microtasks and `nextTick`s of the one before
 *   done, as requests of an HTTP server do.
 */
export type Arrival = 'closed' | 'independent';

export interface Cell {
  readonly operation: Operation;
  /** Operations under way at any time. */
  readonly callers: number;
  readonly arrival: Arrival;
}

export const keyCount = 10_000;
export const valueLength = 100;
export const mgetKeys = 100;
/** Part of the mix that reads. */
export const readShare = 0.8;

const closed = (operation: Operation) =>
  [1, 50, 500].map((callers): Cell => ({ operation, callers, arrival: 'closed' }));
const independent = (operation: Operation) =>
  [50, 500].map((callers): Cell => ({ operation, callers, arrival: 'independent' }));

export const allCells: readonly Cell[] = [
  ...closed('get'),
  ...independent('get'),
  ...closed('set'),
  ...independent('set'),
  ...closed('mix'),
  ...closed('mget'),
];

/** One of each kind. */
export const smokeCells: readonly Cell[] = [
  { operation: 'get', callers: 1, arrival: 'closed' },
  { operation: 'get', callers: 50, arrival: 'independent' },
  { operation: 'set', callers: 50, arrival: 'closed' },
  { operation: 'mix', callers: 50, arrival: 'closed' },
  { operation: 'mget', callers: 10, arrival: 'closed' },
];

/** `get/50`, and `get~/50` for independent arrivals. */
export const cellName = ({ operation, callers, arrival }: Cell) =>
  `${operation}${arrival === 'independent' ? '~' : ''}/${callers}`;
