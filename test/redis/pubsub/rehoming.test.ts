import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSteps, type SubscriptionState } from '../../../src/redis/pubsub/rehoming.ts';

const places = ['a', 'b', 'c', 'd', 'e'];
const somePlaces = fc.subarray(places, { minLength: 0 });

const states: fc.Arbitrary<SubscriptionState<string>> = fc.record({
  homes: somePlaces,
  comingHomes: somePlaces,
  places: fc.array(fc.tuple(fc.constantFrom(...places), fc.boolean())).map((entries) => new Map(entries)),
  isSettling: fc.boolean(),
});

/** The state once the steps are made, and the servers have confirmed. */
function after(state: SubscriptionState<string>): SubscriptionState<string> {
  const { begin, end } = nextSteps(state);
  const next = new Map(state.places);
  for (const place of end) next.delete(place);
  for (const place of begin) next.set(place, false);
  return { ...state, places: new Map([...next.keys()].map((place) => [place, true])) };
}

describe('the next steps of a subscription', () => {
  it('never begin it where it is, nor end it where it is not, nor where it is wanted', () => {
    fc.assert(
      fc.property(states, (state) => {
        const { begin, end } = nextSteps(state);
        for (const place of begin) expect(state.places.has(place)).toBe(false);
        for (const place of end) expect(state.places.has(place)).toBe(true);
        for (const place of end) expect([...state.homes, ...state.comingHomes]).not.toContain(place);
      }),
    );
  });

  it('end it at a former home only when every home has confirmed and nobody publishes by the former topology', () => {
    fc.assert(
      fc.property(states, (state) => {
        const { end, isDisplaced } = nextSteps(state);
        const former = [...state.places.keys()].filter(
          (place) => ![...state.homes, ...state.comingHomes].includes(place),
        );
        const mayEnd = !state.isSettling && state.homes.every((place) => state.places.get(place) === true);
        expect(end).toEqual(mayEnd ? former : []);
        expect(isDisplaced).toBe(!mayEnd && former.length > 0);
      }),
    );
  });

  it('lead from any state to exactly the homes within two confirmations, and then there are none', () => {
    fc.assert(
      fc.property(states, (state) => {
        const last = after(after({ ...state, isSettling: false }));
        const wanted = new Set([...state.homes, ...state.comingHomes]);
        expect(new Set(last.places.keys())).toEqual(wanted);
        expect(nextSteps(last)).toEqual({ begin: [], end: [], isDisplaced: false });
      }),
    );
  });
});
