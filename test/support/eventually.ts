/** Waiting for a condition, with a deadline, instead of sleeping for luck. */

const pollEveryMs = 5;

/** Only what never becomes true is to fail: a busy machine may take its time. */
const defaultTimeoutMs = 60_000;

/**
 * A deadline for calls that are to succeed, and for probes of servers that run: no test of something else may fail because
 * this machine is busy. Tests of deadlines have ones of their own.
 */
export const patientMs = 30_000;

/**
 * Resolves with what `attempt` gives as soon as it neither throws nor gives false or undefined.
 *
 * @throws  What the last attempt threw, or an error, after `timeoutMs`.
 */
export async function eventually<Result>(
  attempt: () => Result | Promise<Result>,
  timeoutMs = defaultTimeoutMs,
): Promise<Exclude<Result, false | undefined>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error(`the condition did not become true within ${timeoutMs} ms`);
    try {
      const result = await attempt();
      if (result !== false && result !== undefined) return result as Exclude<Result, false | undefined>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadlineMs) throw failure;
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}

/** How a call ended. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
  readonly elapsedMs: number;
  /** It ended before any timer or socket had a turn: it waited for nothing, however slow the machine is. */
  readonly endedAtOnce: boolean;
}

/**
 * What a call ended with, and after how many milliseconds.
 *
 * @param call  A function where `elapsedMs` must not be too small: the time before a promise gets here is not counted.
 */
export async function outcomeOf(call: Promise<unknown> | (() => Promise<unknown>)): Promise<Outcome> {
  const startMs = performance.now();
  let endedAtOnce = true;
  const turn = setImmediate(() => {
    endedAtOnce = false;
  });
  const ended = () => ({ elapsedMs: performance.now() - startMs, endedAtOnce });
  try {
    const value = await (typeof call === 'function' ? call() : call);
    return { value, ...ended() };
  } catch (error) {
    return { error, ...ended() };
  } finally {
    clearImmediate(turn);
  }
}
