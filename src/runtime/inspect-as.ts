import { type InspectOptions, inspect } from 'node:util';

/** The form of an instance in `console.log`: the name of its class and its summary, without its private state. */
export function inspectAs(name: string, state: object, depth: number, options: InspectOptions): string {
  if (depth < 0) return `[${name}]`;
  // The states of the nodes are what it is for, so they show also where the instance lies deep in something else.
  return `${name} ${inspect(state, { ...options, depth: 2, maxArrayLength: 1_000 })}`;
}
