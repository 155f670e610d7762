import { type InspectOptions, inspect } from 'node:util';

/** What `console.log` shows of an instance: the name of its class and what it says of itself, and nothing of its innards. */
export function inspectAs(name: string, state: object, depth: number, options: InspectOptions): string {
  if (depth < 0) return `[${name}]`;
  // The states of the nodes are what it is for, so they show also where the instance lies deep in something else.
  return `${name} ${inspect(state, { ...options, depth: 2, maxArrayLength: 1_000 })}`;
}
