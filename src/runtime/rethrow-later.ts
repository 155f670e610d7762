/** An error of the application's listener or callback surfaces as an uncaught exception, and not in the code that called it. */
export function rethrowLater(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}
