/** Where messages are published by a topology: a channel is routed as a key is. */

import { primaryOf, routeOf } from '../../topology/route.ts';
import type { Topology } from '../../topology/topology.ts';
import type { ChannelHomes } from './subscriptions.ts';

export function homesOf(topology: Topology): ChannelHomes {
  return {
    nodes: topology.placement.nodes.map(({ id }) => id),
    nodeOf: (channel) => primaryOf(routeOf(topology, channel)),
  };
}
