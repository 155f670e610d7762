/** A server's identity, read from its replies: in which mode it runs, its role, and which run of which server it is. */

import type { ServerReport } from '../../backend/server-report.ts';

export interface ServerIdentity {
  /** Undefined: the server does not say. */
  readonly mode: 'standalone' | 'cluster' | 'sentinel' | undefined;
  /** In the words of ioredis. Undefined: the server does not say. */
  readonly role: 'master' | 'slave' | undefined;
  /** New at each start of a server. Undefined: it does not say, or our user may not ask. */
  readonly runId: string | undefined;
  /** 'redis', 'valkey'. A server that stands in for Redis may say 'redis' too. Undefined: the server does not say. */
  readonly make: string | undefined;
  readonly version: string | undefined;
}

/** Learns nothing from a reply that is an error, or has an unknown form. */
export function identityOf(hello: unknown, info: unknown): ServerIdentity {
  const greeting = pairsOf(hello);
  const lines = linesOf(info);
  const mode = greeting.get('mode') ?? lines.get('redis_mode') ?? lines.get('server_mode');
  return {
    mode: mode === 'standalone' || mode === 'cluster' || mode === 'sentinel' ? mode : undefined,
    role: roleNamed(greeting.get('role')),
    runId: runIdOf(lines.get('run_id')),
    make: wordOf(greeting.get('server') ?? lines.get('server_name')),
    // Valkey has, for old clients, a version of Redis beside its own.
    version: wordOf(greeting.get('version') ?? lines.get('valkey_version') ?? lines.get('redis_version')),
  };
}

/** The same for those who know backends of any kind. `role`: heard later than the rest. */
export function reportOf(
  { make, version, runId, role: roleAtFirst }: ServerIdentity,
  role: ServerIdentity['role'] = roleAtFirst,
): ServerReport {
  return { make, version, runId, role: role && (role === 'master' ? 'primary' : 'replica') };
}

/** Short and printable, as it goes into logs. */
const wordOf = (text: string | undefined) => (text !== undefined && /^[!-~]{1,64}$/.test(text) ? text : undefined);

/** From the reply to HELLO alone. */
export const roleIn = (hello: unknown): ServerIdentity['role'] => roleNamed(pairsOf(hello).get('role'));

function roleNamed(role: string | undefined): ServerIdentity['role'] {
  if (role === 'replica' || role === 'slave') return 'slave';
  return role === 'master' ? 'master' : undefined;
}

/** From the reply to ROLE. */
export const roleOf = (reply: unknown) => roleNamed(Array.isArray(reply) ? String(reply[0]) : undefined);

/** Some services that only speak like Redis give the same id, of zeros, for everyone. */
function runIdOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{40}$/.test(text) && !/^(.)\1*$/.test(text) ? text : undefined;
}

/** A map as RESP2 has it, names and values in turn, or as clients give one of RESP3. */
function pairsOf(reply: unknown): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let index = 0; index + 1 < reply.length; index += 2) pairs.set(String(reply[index]), String(reply[index + 1]));
  } else if (reply instanceof Map) {
    for (const [name, value] of reply) pairs.set(String(name), String(value));
  } else if (typeof reply === 'object' && reply !== null && !Buffer.isBuffer(reply)) {
    for (const [name, value] of Object.entries(reply)) pairs.set(name, String(value));
  }
  return pairs;
}

/** `name:value` on each line. */
function linesOf(reply: unknown): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  if (!Buffer.isBuffer(reply) && typeof reply !== 'string') return lines;
  for (const line of String(reply).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) lines.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return lines;
}
