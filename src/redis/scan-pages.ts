/**
 * The pages of several nodes' scans, as they come: each node is asked for one page at a time, all nodes at once.
 *
 * Back-pressure is by page. A node is asked for its next page when the taker comes back for more after the last one, so
 * that at most one page of each node is held, whatever the speed of the taker.
 *
 * Where a node stands moves on at that same moment: the cursor written in between leads to the page in hand once more, and
 * nothing is lost if its taker fails in the middle of it.
 */

import { NodeUnavailableError } from '../errors/index.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { ScanArgument } from './scan-options.ts';

/** Decimal cursor to go on from, '0' at the end, and what was found. */
export type ScanReply = readonly [cursor: string, keys: Buffer[]];

/** A node as a scan needs it. */
export interface ScanNode {
  readonly id: string;
  /** One SCAN. @param args  What follows the cursor. */
  scanPage(cursor: string, args: readonly ScanArgument[], signal?: AbortSignal): Promise<ScanReply>;
}

export interface ScanPage {
  readonly nodeId: string;
  readonly keys: readonly Buffer[];
}

type Arrival = { readonly node: ScanNode } & ({ readonly reply: ScanReply } | { readonly error: unknown });

export class PageReader {
  /** Where each node stands; see {@link ServerCursors}. */
  readonly cursors: Map<string, string | undefined>;

  readonly #nodes: readonly ScanNode[];
  readonly #args: readonly ScanArgument[];
  readonly #signal: AbortSignal | undefined;
  readonly #arrivals: Arrival[] = [];
  #wake: () => void = () => undefined;
  #failedNode: string | undefined;

  constructor(
    nodes: readonly ScanNode[],
    cursors: Map<string, string | undefined>,
    args: readonly ScanArgument[],
    signal: AbortSignal | undefined,
  ) {
    this.#nodes = nodes;
    this.cursors = cursors;
    this.#args = args;
    this.#signal = signal;
  }

  /** The node whose failure ended the scan. */
  get failedNode(): string | undefined {
    return this.#failedNode;
  }

  /** Pages until all nodes are done. Throws what the first node that fails throws. Call it once. */
  async *read(): AsyncGenerator<ScanPage, void, undefined> {
    const asked = this.#nodes.filter(({ id }) => this.cursors.get(id) !== undefined);
    this.#signal?.throwIfAborted();
    for (const node of asked) this.#ask(node);
    for (let open = asked.length; open > 0; ) {
      const arrival = await this.#nextArrival();
      const { node } = arrival;
      if ('error' in arrival) throw this.#failureOf(node, arrival.error);
      const [cursor, keys] = arrival.reply;
      yield { nodeId: node.id, keys };
      this.#signal?.throwIfAborted();
      this.cursors.set(node.id, cursor === '0' ? undefined : cursor);
      if (cursor === '0') open--;
      else this.#ask(node);
    }
  }

  #ask(node: ScanNode): void {
    const arrive = (arrival: Arrival) => {
      this.#arrivals.push(arrival);
      this.#wake();
    };
    node.scanPage(this.cursors.get(node.id) ?? '0', this.#args, this.#signal).then(
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

  #failureOf(node: ScanNode, error: unknown): unknown {
    this.#failedNode = node.id;
    // It may come back as another process, which has its keys in another order: the cursor of the old one would then pass
    // over some. From the start, keys come twice and none is missed.
    if (error instanceof NodeUnavailableError) this.cursors.set(node.id, '0');
    return error;
  }
}
