/** What a server says of itself, as the answer to a `ping`. */

/** Each part only where it is known. */
export interface ServerReport {
  /** 'redis', 'valkey'. */
  readonly make?: string | undefined;
  readonly version?: string | undefined;
  /** Another one after each start of the server. */
  readonly runId?: string | undefined;
  readonly role?: 'primary' | 'replica' | undefined;
}

// biome-ignore lint/suspicious/noConfusingVoidType: A ping that tells nothing is an async function without a return.
export type PingAnswer = ServerReport | void;

/** Of an adapter's answer, which may be anything: an object that has none of it tells nothing, nor does any other value. */
export function serverReportIn(answer: unknown): ServerReport | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  try {
    const { make, version, runId, role } = answer as Record<string, unknown>;
    const known = Object.entries({ make, version, runId }).filter(([, text]) => typeof text === 'string');
    if (role === 'primary' || role === 'replica') known.push(['role', role]);
    return known.length === 0 ? undefined : Object.freeze(Object.fromEntries(known));
  } catch {
    return undefined; // It has a getter that throws.
  }
}
