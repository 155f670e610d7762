/**
 * Decides about a call whose time is up, in a process that may itself be stalled.
 *
 * A call has had its chance once the sockets have been read {@link graceMs} after it was written: a server that is well would
 * have answered. Until then it is heard on, as far as stalls are what kept it back. Before a call is ended, the sockets are
 * read once more; not so in a process all of whose turns are long, where one more of them would be too late: there a call
 * that has had its chance ends at once.
 */

/** How a call stands whose end has come. */
export interface Overdue {
  readonly hadItsChance: boolean;
  /** True if it has time left when stalls are not counted. */
  readonly hasOwnTime: boolean;
  /** The loop may come round once more before the call must have ended. */
  readonly hasTurnLeft: boolean;
  /** The sockets have been read since its end was found to have come. */
  readonly hasRead: boolean;
}

/** Pure. */
export function verdictOf(call: Overdue): 'is read for first' | 'is heard a little longer' | 'ends' {
  const { hadItsChance, hasOwnTime, hasTurnLeft, hasRead } = call;
  if (!hasRead && (hasTurnLeft || !hadItsChance)) return 'is read for first';
  return hasOwnTime && !hadItsChance ? 'is heard a little longer' : 'ends';
}
