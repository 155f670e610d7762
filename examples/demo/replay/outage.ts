/** When a node is stopped and brought back, by the number of the request: pure. */

export interface Outage {
  readonly node: string;
  /** Index of the request before which the node is stopped: a third of the way. */
  readonly stopAt: number;
  /** Index of the request before which it is brought back: two thirds of the way. */
  readonly startAt: number;
}

/** @param total  Requests of the whole replay. */
export function outageOf(node: string, total: number): Outage {
  return { node, stopAt: Math.floor(total / 3), startAt: Math.floor((2 * total) / 3) };
}
