/**
 * The pages of several nodes' scans, as they come: each node is asked for one page at a time, all nodes at once.
 *
 * Back-pressure is by page. A node is asked for its next page when the taker comes back for more after the last one, so
 * that at most one page of each node is held, whatever the speed of the taker.
 *
 * Where a node stands moves on at that same moment: the cursor written in between leads to the page in hand once more, and
 * nothing is lost if its taker fails in the middle of it.
 */

import { untilAborted } from '../../runtime/abort.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';
import type { ScanArgument } from './scan-options.ts';

/** What was found, and where to go on: undefined at the end. */
export interface ScanReply {
  readonly next: ScanPosition | undefined;
  readonly keys: Buffer[];
}

/** A node as a scan needs it. */
export interface ScanNode {
  readonly id: string;
  /** The page at `position`, or the first one where that is not of the server there is now. @param args  What follows the cursor. */
  scanPage(position: ScanPosition, args: readonly ScanArgument[]): Promise<ScanReply>;
  /** The run of the server there is now. */
  runId(): Promise<string>;
}

export interface ScanPage {
  readonly nodeId: string;
  readonly keys: readonly Buffer[];
}

type Arrival = { readonly node: ScanNode } & ({ readonly reply: ScanReply } | { readonly error: unknown });

export class PageReader {
  /** Where each node stands; see {@link ScanPositions}. */
  readonly positions: Map<string, ScanPosition | undefined>;

  readonly #nodes: readonly ScanNode[];
  readonly #args: readonly ScanArgument[];
  readonly #signal: AbortSignal | undefined;
  readonly #arrivals: Arrival[] = [];
  #wake: () => void = () => undefined;
  #failedNode: string | undefined;

  constructor(
    nodes: readonly ScanNode[],
    positions: Map<string, ScanPosition | undefined>,
    args: readonly ScanArgument[],
    signal: AbortSignal | undefined,
  ) {
    this.#nodes = nodes;
    this.positions = positions;
    this.#args = args;
    this.#signal = signal;
  }

  /** The node whose failure ended the scan. */
  get failedNode(): string | undefined {
    return this.#failedNode;
  }

  /** Pages until all nodes are done. Throws what the first node that fails throws. Call it once. */
  async *read(): AsyncGenerator<ScanPage, void, undefined> {
    const asked = this.#nodes.filter(({ id }) => this.positions.get(id) !== undefined);
    this.#signal?.throwIfAborted();
    for (const node of asked) this.#ask(node);
    for (let open = asked.length; open > 0; ) {
      const arrival = await this.#nextArrival();
      const { node } = arrival;
      if ('error' in arrival) {
        this.#failedNode = node.id;
        throw arrival.error;
      }
      const { next, keys } = arrival.reply;
      yield { nodeId: node.id, keys };
      this.#signal?.throwIfAborted();
      this.positions.set(node.id, next);
      if (next === undefined) open--;
      else this.#ask(node);
    }
  }

  #ask(node: ScanNode): void {
    const arrive = (arrival: Arrival) => {
      this.#arrivals.push(arrival);
      this.#wake();
    };
    node.scanPage(this.positions.get(node.id) ?? scanStart, this.#args).then(
      (reply) => arrive({ node, reply }),
      (error: unknown) => arrive({ node, error }),
    );
  }

  async #nextArrival(): Promise<Arrival> {
    if (this.#arrivals.length === 0) {
      const arrived = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await untilAborted(arrived, this.#signal);
    }
    this.#signal?.throwIfAborted();
    return this.#arrivals.shift()!;
  }
}
