/** Who hears of the calls to one node: each of its beginning, and of one end. */

export interface NodeObserver {
  /** A call is about to be sent. One of the other three follows. */
  began(): void;

  /** The node has just answered. @param beganMs  When it was asked, on the monotonic clock. */
  answered(beganMs: number): void;

  /** The call has failed. That may speak of the node or of the call. Both times on the monotonic clock. */
  failed(error: unknown, beganMs: number, endedMs: number): void;

  /** Its caller has given the call up, so that its end says nothing of the node. */
  abandoned(): void;
}

/** Of a node that nobody watches. */
export const unwatched: NodeObserver = Object.freeze({
  began() {},
  answered() {},
  failed() {},
  abandoned() {},
});
