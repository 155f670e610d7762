/** A real Redis Cluster of masters only, its slots in equal runs. Needs Redis 7 (ADDSLOTSRANGE), or any Valkey. */

import { Redis } from 'ioredis';
import { eventually } from '../../test/support/eventually.ts';

const slotCount = 16_384;

/** First and last slot of each master. */
export function slotRanges(masters: number): [first: number, last: number][] {
  const boundary = (index: number) => Math.floor((index * slotCount) / masters);
  return Array.from({ length: masters }, (_, index) => [boundary(index), boundary(index + 1) - 1]);
}

/** @throws {Error} A server refuses, or they do not find together. */
export async function formCluster(ports: readonly number[]): Promise<void> {
  const clients = ports.map((port) => new Redis({ port, host: '127.0.0.1' }));
  const ranges = slotRanges(ports.length);
  try {
    await Promise.all(
      clients.map(async (client, index) => {
        // Epochs that differ from the start: the masters need not find out that they are alike.
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        await client.call('CLUSTER', 'ADDSLOTSRANGE', ...ranges[index]!);
      }),
    );
    for (const port of ports.slice(1)) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port);
    for (const client of clients) {
      await eventually(async () => {
        const info = String(await client.call('CLUSTER', 'INFO'));
        if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${slotCount}`)) {
          throw new Error('the masters have not found together');
        }
        return true;
      });
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}
