/** The nodes of a run, of the kind that was asked for. */

import type { NodeSource } from '../options.ts';
import type { DemoNodes } from './demo-nodes.ts';
import { memoryNodes } from './memory-nodes.ts';

/** @param runId  Names this run's keys on servers that others use too. */
export async function openNodes(source: NodeSource, runId: string): Promise<DemoNodes> {
  // What needs ioredis is loaded only for nodes that are servers.
  switch (source.kind) {
    case 'memory':
      return memoryNodes(4);
    case 'given':
      return (await import('./given-nodes.ts')).givenNodes(source.urls, runId);
    case 'spawned':
      return (await import('./spawned-nodes.ts')).spawnedNodes(source.count);
  }
}
