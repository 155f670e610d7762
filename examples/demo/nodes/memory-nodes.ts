/** Nodes in this process's own memory. Stopping one is a crash: it answers nothing and has lost its keys. */

import { MemoryBackend } from 'shardring';
import { FaultyBackend } from 'shardring/testing';
import type { DemoNodes } from './demo-nodes.ts';
import { NodeSet } from './node-set.ts';

export async function memoryNodes(count: number): Promise<DemoNodes> {
  const set = new NodeSet();
  const make = () => {
    const id = set.nextId();
    const memory = new MemoryBackend();
    const faulty = new FaultyBackend(memory, { nodeName: id });
    const stop = async () => {
      faulty.stop();
      await memory.clear({});
    };
    return set.add(id, { backend: faulty, inner: memory, stop, start: () => faulty.start() });
  };
  const initial = Array.from({ length: count }, make);
  return {
    description: `${count} nodes in the memory of this process`,
    note: '',
    stopping: 'stops and loses its keys',
    starting: 'is back, empty',
    losesKeys: true,
    areOurs: true,
    initial,
    addOne: async () => make(),
    stopNode: set.stopNode,
    startNode: set.startNode,
    loads: set.loads,
    countKeys: set.countKeys,
    cleanUp: async () => {},
    close: async () => {},
  };
}
