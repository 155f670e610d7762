/**
 * GETs that travel as one MGET.
 *
 * A key that several of them ask for is asked for once.
 */

import { isUtf8 } from 'node:buffer';
import { arrayOf } from '../../runtime/array-of.ts';
import type { CommandArgument } from '../link/client.ts';
import type { Call } from './call.ts';
import { isWellFormed } from './key-bytes.ts';

/** Most bytes of keys in one MGET. A single longer key travels alone. */
export const batchMaxKeyBytes = 64 * 1024;

export class ReadBatch {
  /** The keys asked for, each once: slot by slot. */
  readonly keys = arrayOf<CommandArgument>();
  readonly calls = arrayOf<Call>();
  /** The slot of each call: an index into `keys` and the reply. */
  readonly slots = arrayOf<number>();
  #keyBytes = 0;
  readonly #slotOfKey = new Map<string, number>();

  /**
   * @param maxKeys  Most keys in this batch.
   * @returns        False if there is no room for the call's key any more: the call was not added.
   */
  add(call: Call, maxKeys: number): boolean {
    const key = call.args[0]!;
    const id = keyIdOf(key);
    let slot = this.#slotOfKey.get(id);
    if (slot === undefined) {
      slot = this.keys.length;
      const bytes = this.#keyBytes + (typeof key === 'number' ? id.length : Buffer.byteLength(key));
      if (slot > 0 && (slot >= maxKeys || bytes > batchMaxKeyBytes)) return false;
      this.#keyBytes = bytes;
      this.#slotOfKey.set(id, slot);
      this.keys.push(key);
    }
    this.calls.push(call);
    this.slots.push(slot);
    return true;
  }

  /** Whether the call may change one of the keys. */
  isChangedBy({ spec: { changes = 'anything' }, args }: Call): boolean {
    if (changes === 'nothing') return false;
    if (changes === 'anything') return true;
    if (changes === 'first key') return args[0] === undefined || this.#slotOfKey.has(keyIdOf(args[0]));
    return changes(args).some((key) => this.#slotOfKey.has(keyIdOf(key)));
  }
}

/**
 * One string for one key, in whatever form it is given: as the client writes them, a lone surrogate of a string becomes
 * U+FFFD. Bytes that are no UTF-8 begin with a lone surrogate here, which no other key does.
 */
function keyIdOf(key: CommandArgument): string {
  if (typeof key === 'string') return isWellFormed(key) ? key : Buffer.from(key, 'utf8').toString('utf8');
  if (typeof key === 'number') return String(key);
  return isUtf8(key) ? key.toString('utf8') : `\ud800${key.toString('latin1')}`;
}
