/** What a case of the backend suite is, and the few tools that all cases share. */

import assert from 'node:assert/strict';
import type { Backend, BackendPorts, Value } from '../../backend/backend.ts';
import type { PortName } from '../../backend/calls.ts';
import { isShardringError, type ShardringErrorCode } from '../../errors/index.ts';

/** How a backend is to be made. The suite owns these: an adapter cannot pass by being tried in its best one only. */
export interface BackendConfiguration {
  readonly name: ConfigurationName;
  /** What the adapter puts before every key in its store, and its users never see. Undefined: nothing. */
  readonly keyPrefix: string | undefined;
  /** False: the store must be empty. True: the backend joins the store of the one made before it, as it stands. */
  readonly joinsStore: boolean;
}

/** 'plain': no prefix. 'prefixed': a key prefix full of characters that mean something to servers. */
export type ConfigurationName = 'plain' | 'prefixed';

/**
 * Features that an adapter may lack, with a reason.
 *
 * Its ports, by name. 'expiringValues': `set` with `expiresAtMs` (it has an expiryResolutionMs).
 * 'exactTime': `passTime` moves a simulated clock, so that the last millisecond can be looked at. 'neighbours': two
 * backends with different prefixes on one store. 'anyKey': every string, lone surrogates and all, is a key of its own.
 * 'largeKeys': keys of 1 MB. 'largeValues': values of 16 MB.
 */
export type BackendFeature =
  | PortName
  | 'expiringValues'
  | 'exactTime'
  | 'neighbours'
  | 'anyKey'
  | 'largeKeys'
  | 'largeValues';

/** With every port: a case calls those that it needs. */
export type BackendUnderTest = Backend & { readonly [Name in PortName]-?: NonNullable<BackendPorts[Name]> };

/** The tools of a case. */
export interface CaseContext {
  /** The backend under test, completed as the rest of the library does it. */
  readonly backend: BackendUnderTest;
  /** The same as the adapter made it. */
  readonly raw: Backend;
  /** Lets at least this much time pass by the clock that the backend goes by. */
  passTime(ms: number): Promise<void>;
  /** Unix time by that clock. */
  nowMs(): number;
  supports(feature: BackendFeature): boolean;
  /** A second backend on the same store with another prefix, closed after the case. */
  neighbour(keyPrefix: string): Promise<BackendUnderTest>;
}

export interface BackendCase {
  /** A sentence about a backend that keeps the contract. */
  readonly title: string;
  /** Without one of these the case is skipped, with the adapter's reason in its title. */
  readonly needs?: readonly BackendFeature[];
  /** Default: in every configuration. */
  readonly only?: ConfigurationName;
  run(context: CaseContext): Promise<void>;
}

export const bytesOf = (text: string): Value => new TextEncoder().encode(text);

/** The stored text, or undefined for a miss. */
export function textOf(value: Value | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

export async function textAt(backend: Backend, key: string): Promise<string | undefined> {
  return textOf(await backend.get(key, {}));
}

/** Compares bytes and not classes: a Buffer is as good as a Uint8Array. */
export function assertBytes(actual: Value | undefined, expected: Value): void {
  assert.ok(actual instanceof Uint8Array, 'expected a value and got a miss');
  assert.equal(Buffer.compare(actual, expected), 0, `${actual.length} bytes are not the ${expected.length} expected`);
}

export function assertRejectsWithCode(call: Promise<unknown>, code: ShardringErrorCode): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(isShardringError(error), `expected an error with code ${code}, got ${error}`);
    assert.equal(error.code, code);
    return true;
  });
}

/** The same cases, each of which needs this too. */
export const needing = (feature: BackendFeature, cases: readonly BackendCase[]): readonly BackendCase[] =>
  cases.map((one) => ({ ...one, needs: [feature, ...(one.needs ?? [])] }));

/** Keys by `scan`, each once, sorted. */
export async function scannedKeys(backend: BackendUnderTest): Promise<string[]> {
  const keys = new Set<string>();
  for await (const key of backend.listing.scan({})) keys.add(key);
  return [...keys].sort();
}
