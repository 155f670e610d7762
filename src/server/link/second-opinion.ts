/**
 * Whether a silent connection is dead, or its server busy: asked over a new connection.
 *
 * A peer that vanished without a word (a firewall that forgot the connection, a host that was replaced) holds a connection
 * until the kernel gives up, after many minutes. A server that does one slow thing is silent too, and answers in the end. On
 * the connection itself the two look alike. But a busy server answers nobody, and one that answers a newcomer has nothing to
 * say to us any more.
 */

import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import type { Client } from './client.ts';
import { isReplyError } from './failure.ts';

/** Resolves with whether a new connection to the same place was made and answered in time. Never rejects. */
export function answersNewcomer(client: Client, timeoutMs: number, clock: Clock): Promise<boolean> {
  const newcomer = client.duplicate({ lazyConnect: true, retryStrategy: () => null });
  newcomer.on('error', () => undefined);
  return new Promise<boolean>((resolve) => {
    const end = (answer: boolean) => {
      cancel();
      newcomer.disconnect();
      newcomer.stream?.destroy();
      resolve(answer);
    };
    const cancel = limitTime(clock, timeoutMs, () => end(false), false);
    newcomer
      .connect()
      .then(() => newcomer.ping())
      .then(
        () => end(true),
        // A refusal is an answer.
        (error: unknown) => end(isReplyError(error)),
      );
  });
}
