/** Keeps the process from ending while something is waited for that has no socket and no timer of its own to keep it. */

/** Longer than any wait; what matters is that a timer is there. */
const farAwayMs = 2 ** 30;

/** @returns Lets go again. */
export function holdProcess(): () => void {
  const timer = setInterval(() => undefined, farAwayMs);
  return () => clearInterval(timer);
}
