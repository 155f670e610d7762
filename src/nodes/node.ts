/** A node and what stores its keys. */

import type { CompleteBackend } from '../backend/backend.ts';
import type { NodeId } from '../placement/node.ts';

export interface Member {
  readonly id: NodeId;
  readonly backend: CompleteBackend;
}
