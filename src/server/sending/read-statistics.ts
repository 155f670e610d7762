/**
 * A connection's statistics of GETs: whether it pays to send several as one MGET, and how many. Pure.
 *
 * Two moving averages, in which a key counts 1/256 against all before it:
 *
 * - the share of misses. MGET answers nil also for a key that holds something else than a string, where GET is an error.
 *   So a nil is asked again by GET, and a miss costs a second round trip. Above 1 miss in 8 no MGETs are sent, so that the
 *   mean time of a read never grows by more than 1/8; plain GETs go on telling how many miss.
 * - the size of the values found. One MGET should not be answered with more than about 1 MB, for which others would wait.
 *
 * Besides, a server may refuse MGET to us. It is asked again on the next connection.
 */

import { batchMaxKeys } from './send-plan.ts';

/** Above this share of misses, plain GETs are sent. */
const maxMissShare = 1 / 8;

/** Largest expected reply to one MGET. */
export const expectedReplyMaxBytes = 1024 * 1024;

const weight = 1 / 256;

export class ReadStatistics {
  #missShare = 0;
  /** At first as if values were large: the first MGET has 64 keys, and what it brings is soon known. */
  #valueBytes = 16 * 1024;

  /** Most keys to ask for by one MGET; 1 if there should be none. */
  get maxKeys(): number {
    if (this.#missShare > maxMissShare) return 1;
    return Math.max(1, Math.min(batchMaxKeys, Math.floor(expectedReplyMaxBytes / this.#valueBytes)));
  }

  /** Takes in one key's value as the client has it: a Buffer, or null. */
  note(value: unknown): void {
    if (value === null) {
      this.#missShare += (1 - this.#missShare) * weight;
    } else if (Buffer.isBuffer(value)) {
      this.#missShare -= this.#missShare * weight;
      this.#valueBytes += (value.length - this.#valueBytes) * weight;
    }
  }
}
