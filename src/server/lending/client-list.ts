/** Descriptions of connections by servers: the lines of CLIENT LIST and CLIENT INFO. Pure. */

import type { CommandSpec } from '../sending/call.ts';

/** A connection as its server names it. The id alone comes again in another process of the server. */
export interface ClientIdentity {
  readonly id: string;
  readonly address: string;
}

export interface ListedClient extends ClientIdentity {
  /** It waits in a blocking command, or because the server has paused its clients. */
  readonly isBlocked: boolean;
}

/** @param reply  As the driver gives it: bytes, text, or something else where this is no server of Redis. */
export function parseClientList(reply: unknown): ListedClient[] {
  const text = Buffer.isBuffer(reply) || typeof reply === 'string' ? reply.toString() : '';
  return text.split('\n').flatMap((line) => {
    const fields = new Map(line.split(' ').map((field) => splitOnce(field)));
    const [id, address] = [fields.get('id'), fields.get('addr')];
    if (id === undefined || address === undefined) return [];
    return [{ id, address, isBlocked: fields.get('flags')?.includes('b') === true }];
  });
}

/** CLIENT LIST ID, Redis 6.2 and later. */
export const listClients: CommandSpec<ListedClient[]> = {
  operation: 'client',
  name: 'client',
  isWrite: false,
  changes: 'nothing',
  decode: parseClientList,
};

export const isSameClient = (one: ClientIdentity, other: ClientIdentity): boolean =>
  one.id === other.id && one.address === other.address;

function splitOnce(field: string): [name: string, value: string] {
  const at = field.indexOf('=');
  return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
}
