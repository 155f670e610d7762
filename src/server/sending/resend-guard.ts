/**
 * Keeps a borrowed client from sending our commands a second time.
 *
 * A client of ioredis sends, by default, every unanswered command again once it has reconnected, and an increment counts
 * twice. Clients of our own have that switched off. A borrowed one belongs to the application, whose own commands may rely
 * on it; so only our commands are taken out of what it is about to repeat.
 */

import type { Client, ClientCommand } from '../link/client.ts';

/** The queue of a client of ioredis 5 and 6, which is a Denque. */
interface UnansweredQueue {
  readonly length: number;
  peekAt(index: number): { readonly command: ClientCommand } | undefined;
  removeOne(index: number): unknown;
}

/** Call on 'close': the queue is complete then, and the reconnection comes later. */
export function dropFromResending(client: Client, isOurs: (command: ClientCommand) => boolean): void {
  const { prevCommandQueue: queue } = client as { prevCommandQueue?: UnansweredQueue | null };
  if (typeof queue?.peekAt !== 'function') return;
  for (let index = queue.length - 1; index >= 0; index--) {
    const command = queue.peekAt(index)?.command;
    if (command !== undefined && isOurs(command)) queue.removeOne(index);
  }
}
