/** A node, what stores its keys, and who hears of the calls to it. */

import type { CompleteBackend } from '../backend/backend.ts';
import type { NodeObserver } from '../health/node-observer.ts';
import type { NodeId } from '../placement/node.ts';

export interface Member {
  readonly id: NodeId;
  readonly backend: CompleteBackend;
  readonly observer: NodeObserver;
}
