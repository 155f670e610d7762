import { MemoryBackend, type MemoryBackendOptions } from '../../src/backend/memory.ts';

/** A subclass, so that its replies are looked at like those of any backend that is not of this library. */
class OfOthers extends MemoryBackend {}

/** A backend with every call, in plain JavaScript as it were: `calls` take the place of its own and need not keep the contract. */
export function backendOfOthers(
  calls: Readonly<Record<string, (...args: never[]) => unknown>> = {},
  options: MemoryBackendOptions = {},
): MemoryBackend {
  return Object.assign(new OfOthers(options), calls);
}

/** An error that throws when somebody reads what it says. */
export class Unreadable extends Error {
  get code(): string {
    throw new Error('the code was read');
  }
  override get message(): string {
    throw new Error('the message was read');
  }
}

const refuse = (what: string) => () => {
  throw new Error(`${what} was looked at`);
};

/** One that throws whatever is done with it. */
export const untouchable = (): object =>
  new Proxy({}, { has: refuse('has'), get: refuse('get'), getPrototypeOf: refuse('its prototype') });
