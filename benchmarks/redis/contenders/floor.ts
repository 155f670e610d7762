/** Bare sockets with the server picked by modulo; see `raw-resp.ts`. */

import type { Store } from '../store.ts';
import { moduloStore, type Single } from './modulo.ts';
import { RawConnection } from './raw-resp.ts';

export async function openFloor(ports: readonly number[]): Promise<Store> {
  const connections = await Promise.all(ports.map((port) => RawConnection.open(port)));
  const clients = connections.map(
    (connection): Single => ({
      get: (key) => connection.send(['GET', key]) as Promise<string | null>,
      set: (key, value) => connection.send(['SET', key, value]),
      mget: (keys) => connection.send(['MGET', ...keys]) as Promise<(string | null)[]>,
    }),
  );
  return moduloStore(clients, async () => {
    for (const connection of connections) connection.close();
  });
}
