/** Checks names of events: a listener under a misspelt name would wait for ever without any notice. */

import { EventEmitter } from 'node:events';
import { InvalidArgumentError } from '../errors/index.ts';
import { expectFunction } from './validate.ts';

type Name = string | symbol;
type Listener = (...args: never[]) => void;

/**
 * @param known   The events that are emitted. @param others  Names that are taken too.
 * @throws {InvalidArgumentError} No event has that name. Symbols are Node's own, such as `errorMonitor`.
 */
export function expectEvent(name: unknown, known: readonly string[], others: readonly string[] = []): void {
  if (typeof name === 'symbol' || known.includes(name as string) || others.includes(name as string)) return;
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 100)) : typeof name;
  throw InvalidArgumentError.saying('event', `unknown event ${shown}. Known events: ${known.join(', ')}.`);
}

/** An EventEmitter that takes listeners only for the events that it emits, and for the other names that it is given. */
export class KnownEvents extends EventEmitter {
  readonly #known: readonly string[];
  readonly #others: readonly string[];

  constructor(known: readonly string[], others: readonly string[]) {
    super();
    this.#known = known;
    this.#others = ['newListener', 'removeListener', ...others];
  }

  #expect(name: Name): void {
    expectEvent(name, this.#known, this.#others);
  }

  override on(name: Name, listener: Listener): this {
    this.#expect(name);
    expectFunction('listener', listener);
    return super.on(name, listener as () => void);
  }

  override addListener(name: Name, listener: Listener): this {
    return this.on(name, listener);
  }

  override once(name: Name, listener: Listener): this {
    this.#expect(name);
    expectFunction('listener', listener);
    return super.once(name, listener as () => void);
  }

  override prependListener(name: Name, listener: Listener): this {
    this.#expect(name);
    expectFunction('listener', listener);
    return super.prependListener(name, listener as () => void);
  }

  override prependOnceListener(name: Name, listener: Listener): this {
    this.#expect(name);
    expectFunction('listener', listener);
    return super.prependOnceListener(name, listener as () => void);
  }

  override off(name: Name, listener: Listener): this {
    return this.removeListener(name, listener);
  }

  override removeListener(name: Name, listener: Listener): this {
    this.#expect(name);
    expectFunction('listener', listener);
    return super.removeListener(name, listener as () => void);
  }

  override removeAllListeners(name?: Name): this {
    if (name === undefined) return super.removeAllListeners();
    this.#expect(name);
    return super.removeAllListeners(name);
  }
}
