/** What the parent and the process of one contender say to each other in the benchmark of failures. */

/** Calls to one kind of key in one phase. */
export interface Outcomes {
  readonly calls: number;
  /** Of calls that were answered, from when they were due. Milliseconds; NaN if there were none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How calls ended: `ok`, or the error's code or message. */
  readonly endings: Readonly<Record<string, number>>;
  /** The longest that a call took to end, well or not. Milliseconds. */
  readonly longestMs: number;
  /** Calls that had not ended when the phase was given up. */
  readonly unended: number;
}

export interface PhaseResult {
  /** Keys of the node that the phase is about. */
  readonly victim: Outcomes;
  readonly others: Outcomes;
}

export type FailureTask =
  | { readonly kind: 'load'; readonly durationMs: number; readonly perSecond: number }
  /** Waits until keys of all nodes are answered again. */
  | { readonly kind: 'recover' };

export interface FailureChildTask {
  readonly contender: string;
  readonly ports: readonly number[];
  /** Place in `ports` of the node that will fail. */
  readonly victim: number;
}
