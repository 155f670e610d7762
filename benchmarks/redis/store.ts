/** What a contender must be able to do, whatever it is made of. */

/** Values in the order of the keys, null or undefined where there is none; or the hits by key. */
export type ManyAnswer = readonly (string | null | undefined)[] | ReadonlyMap<string, string>;

/**
 * All answer with strings, so that all do the same work: a GET of bytes would spare some of them the decoding.
 *
 * Implementations hand the client's own promise through. An `async` method here would cost every operation one more
 * promise, which is of the order of what is measured.
 */
export interface Store {
  get(key: string): Promise<string | null | undefined>;
  set(key: string, value: string): Promise<unknown>;
  mget(keys: readonly string[]): Promise<ManyAnswer>;
  close(): Promise<void>;
}

/** One that says where a key is, so that it is known which calls a failing node concerns. */
export interface LocatingStore extends Pick<Store, 'get' | 'set' | 'close'> {
  /** Place in the list of ports of the node that has the key. */
  nodeOf(key: string): number;
}

/** Where the servers listen, all on 127.0.0.1. */
export interface Ports {
  /** Four that know nothing of each other. */
  readonly plain: readonly number[];
  /** Four masters of one cluster; undefined where the server is too old for it to be formed. */
  readonly cluster: readonly number[] | undefined;
  /** twemproxy before the plain ones; undefined where it is not installed. */
  readonly proxy: number | undefined;
}
