/** Waiting for a condition, with a deadline, instead of sleeping for luck. */

const pollEveryMs = 5;

/**
 * Resolves with what `attempt` gives as soon as it neither throws nor gives false or undefined.
 *
 * @throws  What the last attempt threw, or an error, after `timeoutMs`.
 */
export async function eventually<Result>(
  attempt: () => Result | Promise<Result>,
  timeoutMs = 5_000,
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

/** What a call ended with, and after how many milliseconds. */
export async function outcomeOf(
  call: Promise<unknown>,
): Promise<{ readonly value?: unknown; readonly error?: unknown; readonly elapsedMs: number }> {
  const startMs = performance.now();
  try {
    const value = await call;
    return { value, elapsedMs: performance.now() - startMs };
  } catch (error) {
    return { error, elapsedMs: performance.now() - startMs };
  }
}
