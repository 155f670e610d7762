/**
 * Where a subscription begins and where it ends while the homes of its channel change.
 *
 * A message is published at one node: the home of its channel by the topology that the publisher follows. So while homes
 * change, a channel stays subscribed at its previous homes until every present one has confirmed, and until nobody publishes by
 * the previous topology any more. A message arrives once wherever it is published, since it is published at one node only.
 *
 * The decision depends on the present state alone and not on how it came about: changes that follow one another, lost
 * connections and calls in between all lead to the same end.
 */

/** One desired subscription, as it is. A place is a node, or whatever stands for one. */
export interface SubscriptionState<Place> {
  /** Where messages are published by the topology in force. */
  readonly homes: readonly Place[];
  /** Where they will be published once the change that is being prepared is in force. */
  readonly comingHomes: readonly Place[];
  /** Where the channel is subscribed, each with whether the server has confirmed. */
  readonly places: ReadonlyMap<Place, boolean>;
  /** Messages published by the previous topology may still be on their way. */
  readonly isSettling: boolean;
}

export interface SubscriptionSteps<Place> {
  readonly begin: readonly Place[];
  readonly end: readonly Place[];
  /** It is also subscribed elsewhere than at its homes, which a later step ends. */
  readonly isDisplaced: boolean;
}

export function nextSteps<Place>(state: SubscriptionState<Place>): SubscriptionSteps<Place> {
  const { homes, comingHomes, places, isSettling } = state;
  const wanted = new Set([...homes, ...comingHomes]);
  const begin = [...wanted].filter((place) => !places.has(place));
  const previous = [...places.keys()].filter((place) => !wanted.has(place));
  const mayEnd = !isSettling && homes.every((place) => places.get(place) === true);
  return { begin, end: mayEnd ? previous : [], isDisplaced: previous.length > 0 && !mayEnd };
}
