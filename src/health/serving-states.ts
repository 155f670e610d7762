/**
 * The states by which calls choose among their nodes, for paths that ask at every call.
 *
 * Made anew when something has changed, which the version of health tells: until then asking costs a comparison.
 */

import type { HealthView, ServingHealth } from './health-view.ts';

export class ServingStates {
  readonly #health: Pick<HealthView, 'version' | 'illNodes'>;
  /** None yet: versions begin at 0. */
  #version = -1;
  #ill: ReadonlyMap<string, ServingHealth> = new Map();

  constructor(health: Pick<HealthView, 'version' | 'illNodes'>) {
    this.#health = health;
  }

  /** True while no node is known to be ill: the common case, in which nobody needs to be asked about. */
  get allUp(): boolean {
    return this.#illNow.size === 0;
  }

  /** A node that is not watched counts as up, and so does one of which nothing has been heard. */
  stateOf(node: string): ServingHealth {
    return this.#illNow.get(node) ?? 'up';
  }

  get #illNow(): ReadonlyMap<string, ServingHealth> {
    const { version } = this.#health;
    if (version !== this.#version) {
      this.#ill = this.#health.illNodes();
      this.#version = version;
    }
    return this.#ill;
  }
}
