/** How even a ring is, and what more virtual nodes or slots would bring. */

import { type Balance, balanceOf, expectedSpread, type RingOutlook } from '../balance.ts';
import type { SlottedPlacement } from '../placement.ts';
import { maxSlots } from '../table/slot-table.ts';
import { maxPoints, maxVirtualNodes } from './virtual-nodes.ts';

export interface RingBalance extends Balance {
  /** The expected value for this ring's settings, whatever the names of its nodes. */
  readonly expected: RingOutlook;
  /** The expected values for other settings: more virtual nodes first, then more slots. Changing them moves keys. */
  readonly outlooks: readonly RingOutlook[];
  /** The same as a sentence. */
  readonly advice: string;
}

/** Below this much, a better balance is not worth a word. */
const worthwhile = 0.005;

export function ringBalance(ring: SlottedPlacement & { readonly virtualNodes: number }): RingBalance {
  const outlook = (virtualNodes: number, slots: number): RingOutlook => ({
    virtualNodes,
    slots,
    ...expectedSpread(ring.nodes, virtualNodes, slots),
  });
  const expected = outlook(ring.virtualNodes, ring.slots);
  const weights = ring.nodes.reduce((sum, { weight }) => sum + weight, 0);
  const outlooks = [
    ...[2, 4]
      .map((factor) => ring.virtualNodes * factor)
      .filter((virtualNodes) => virtualNodes <= maxVirtualNodes && weights * virtualNodes <= maxPoints)
      .map((virtualNodes) => outlook(virtualNodes, ring.slots)),
    ...(ring.slots * 4 <= maxSlots ? [outlook(ring.virtualNodes, ring.slots * 4)] : []),
  ];
  const balance = balanceOf(ring);
  return { ...balance, expected, outlooks, advice: advise(balance, expected, outlooks) };
}

function advise(balance: Balance, expected: RingOutlook, outlooks: readonly RingOutlook[]): string {
  if (balance.nodes.length === 0) return 'There are no nodes.';
  if (balance.nodes.length === 1) return 'A single node owns every key.';
  const times = (ratio: number) => `${ratio.toFixed(2)} times`;
  const number = (count: number) => count.toLocaleString('en');
  const found = `The fullest node has ${times(balance.fullest)} its ideal share; ${times(expected.fullest)} is expected.`;
  const better = outlooks.filter(({ fullest }) => expected.fullest - fullest >= worthwhile);
  if (better.length === 0) return `${found} More virtual nodes or slots would not help.`;
  const offers = better.map(({ virtualNodes, slots, fullest }, index) => {
    if (virtualNodes === expected.virtualNodes) return `with ${number(slots)} slots: ${fullest.toFixed(2)}`;
    return `with ${number(virtualNodes)}${index === 0 ? ' virtual nodes' : ''}: ${fullest.toFixed(2)}`;
  });
  const rest = better.some(({ slots }) => slots > expected.slots) ? '' : ' More slots would not help.';
  return `${found} Expected ${offers.join('; ')}.${rest} Changing either moves keys, so decide before the cache holds data.`;
}
