import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when the system's clock shows `ms` more, by which servers on this machine go: timers may come a millisecond early. */
export async function passTime(ms: number): Promise<void> {
  const endMs = Date.now() + ms;
  while (Date.now() < endMs) await sleep(endMs - Date.now());
}
