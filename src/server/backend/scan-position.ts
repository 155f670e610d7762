/**
 * The position of a scan of one server, and how it continues from there.
 *
 * A cursor of SCAN, HSCAN, SSCAN or ZSCAN is a place in an order of hashes. Each server process draws the seed of its hashes
 * anew, so a cursor means something only to the process that gave it. Another one (after a restart, or a replica that was
 * promoted) takes it without complaint and passes over elements. So a cursor is kept with the run of the server that it is
 * from. If another run answers, the scan starts again: elements may come twice, and none is missed.
 */

import type { CallLimits } from '../sending/call.ts';

export interface ScanPosition {
  /** Decimal, as the server wrote it; '0' is the start. */
  readonly cursor: string;
  /** The run that the cursor is from. Undefined at the start; and where it is not known, which no run equals. */
  readonly run: string | undefined;
}

export const scanStart: ScanPosition = { cursor: '0', run: undefined };

/** The source of pages. */
export interface ScannedServer {
  /** Grows whenever the connection is another one. */
  readonly connectionCount: number;
  /** Which run of which server the present connection leads to. Another process never has the same. */
  runId(operation: string, limits: CallLimits): Promise<string>;
}

/** One page as the server sends it. The cursor '0' ends the scan. */
export interface CursorPage {
  readonly cursor: string;
}

/** A page, and where to go on: undefined at the end. */
export interface PageWithNext<Page> {
  readonly page: Page;
  readonly next: ScanPosition | undefined;
}

/**
 * The page at `position`, or the first one if that is of another run.
 * @param limits  Of all its steps. @param ask  Sends the command with this cursor over the server's shared connection.
 */
export async function pageAt<Page extends CursorPage>(
  server: ScannedServer,
  position: ScanPosition,
  operation: string,
  limits: CallLimits,
  ask: (cursor: string) => Promise<Page>,
): Promise<PageWithNext<Page>> {
  let { cursor, run } = position;
  for (;;) {
    const page = await ask(cursor);
    if (cursor === '0' && page.cursor === '0') return { page, next: undefined };
    // A call that is in flight when its connection is lost fails. So the page came over the connection there is now.
    const connection = server.connectionCount;
    const answered = await server.runId(operation, limits);
    if (server.connectionCount !== connection) continue; // The page may come from another run.
    if (cursor === '0' || answered === run) {
      return { page, next: page.cursor === '0' ? undefined : { cursor: page.cursor, run: answered } };
    }
    ({ cursor, run } = scanStart);
  }
}
