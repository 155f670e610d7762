/** Which nodes may share a server, and who hears of it. */

import { ServerRoster } from '../backend/server-roster.ts';
import { WrongServerError } from '../errors/index.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { EmitRoutingEvent } from '../routing/events.ts';

export interface RosterSettings {
  readonly replicationFactor: number;
  readonly allowSharedServers: boolean;
}

/**
 * Two ids on one server are refused where they share keys: removing a key at a node that no longer owns it would remove it
 * at the owner. With copies they are refused in any case, as one server would hold all copies of some keys. Where databases or
 * prefixes keep the keys of one copy apart, an event reports it, and no more.
 */
export function makeRoster(
  settings: RosterSettings,
  emit: EmitRoutingEvent,
  health: Pick<HealthMonitor, 'reportFailure'>,
): ServerRoster {
  const { replicationFactor, allowSharedServers } = settings;
  // A backend may be connected before the cache is made, and so before anybody can listen.
  const later: EmitRoutingEvent = (name, event) => queueMicrotask(() => emit(name, event));
  return new ServerRoster({
    allows: ({ sharesKeys }) => allowSharedServers || (replicationFactor === 1 && !sharesKeys),
    onShared({ nodes, sharesKeys }, isAllowed) {
      if (!allowSharedServers) later('sharedServer', { nodes, sharesKeys, refused: isAllowed ? undefined : nodes[1] });
    },
    // It may have answered before, and counts as up then.
    onRefused: (node, other) => health.reportFailure(node, new WrongServerError(node, 'connect', 'shared', { other })),
    onDemoted: (node) => later('nodeDemoted', { node }),
  });
}
