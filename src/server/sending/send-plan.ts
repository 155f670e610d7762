/**
 * In which order and in which form calls that wait for a server are sent. Pure.
 *
 * GETs are gathered into MGETs, and everything else stays as it is and in its order. A GET is only ever put off, and never
 * past a call that may change its key; so each call sees exactly the earlier calls' changes of its keys, as if all had
 * been sent one by one.
 */

import type { Call } from './call.ts';
import { ReadBatch } from './read-batch.ts';

/** Calls that go out as one command. */
export type Sending = Call | ReadBatch;

/** Most keys in one MGET. The server does one thing at a time, and others wait for as long as an MGET takes. */
export const batchMaxKeys = 512;

/** @param maxKeys  Most keys in one MGET. Below 2 nothing is gathered. */
export function planSendings(calls: readonly Call[], maxKeys: number): Sending[] {
  const sendings: Sending[] = [];
  let batch: ReadBatch | undefined;
  const close = () => {
    if (batch === undefined) return;
    // The plain command is the simpler one, and can be answered with an error of its own.
    sendings.push(batch.calls.length === 1 ? batch.calls[0]! : batch);
    batch = undefined;
  };
  for (const call of calls) {
    if (!call.isOpen) continue; // Its time is up, or it was aborted.
    if (maxKeys > 1 && call.spec.coalesces === true) {
      if (batch?.add(call, maxKeys)) continue;
      close();
      batch = new ReadBatch();
      batch.add(call, maxKeys);
      continue;
    }
    if (batch?.isChangedBy(call)) close();
    sendings.push(call);
  }
  close();
  return sendings;
}
