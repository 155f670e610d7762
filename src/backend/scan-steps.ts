/** A scan whose every step passes one place: a server is asked again for each page of keys. */

export type ScanStep = IteratorResult<string, unknown>;

/**
 * @param open  Begins the scan, within its first step.
 * @param pass  Stands around every step.
 */
export async function* scanSteps(
  open: () => AsyncIterable<string>,
  pass: (step: () => Promise<ScanStep>) => Promise<ScanStep>,
): AsyncGenerator<string, void> {
  let iterator: AsyncIterator<string> | undefined;
  const take = () => {
    iterator ??= open()[Symbol.asyncIterator]();
    return iterator.next();
  };
  try {
    for (;;) {
      const step = await pass(take);
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    // Not waited for: an iterator that hangs in its step, and was cut off there, would hang in this one too.
    const end = async () => iterator?.return?.();
    void end().catch(() => {});
  }
}
