import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';

/** A connection of which we want no more than the replies in flight is cut off after this long, in milliseconds. */
const farewellMs = 250;

/** Ends a stream: nothing more is sent on it, and what was sent still gets its reply, if that comes soon. */
export function farewell(stream: Duplex, clock: Clock): void {
  stream.end();
  const cancel = clock.schedule(farewellMs, () => stream.destroy(), false);
  stream.once('close', cancel);
}
