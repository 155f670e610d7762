import { xxh32 } from '../../src/hash/xxh32.ts';
import { memberIndex } from '../../src/placement/members.ts';
import { compareIds, type NodeId, type NodeInput, type PlacementNode } from '../../src/placement/node.ts';
import { type ReferenceKind, ReferencePlacement as Sound } from './reference-placement.ts';

interface Mutant {
  readonly Kind: ReferenceKind;
  /** Part of the title of the case that is there to notice it. */
  readonly caughtBy: string;
}

const mutant = (caughtBy: string, Kind: ReferenceKind): Mutant => ({ Kind, caughtBy });

const memberOf = ({ id, weight = 1, zone }: NodeInput): PlacementNode => Object.freeze({ id, weight, zone });

/** Placements with one fault each, of the kinds that real ones have. The key says what is wrong. */
export const placementMutants: Readonly<Record<string, Mutant>> = {
  'the owner is not the first of the list': mutant(
    'has the first node of a key’s preference list as its owner',
    class extends Sound {
      override nodeFor(key: string) {
        return super.preferenceList(key, this.nodes.length).at(-1)!;
      }
    },
  ),
  'a list names a node twice': mutant(
    'lists as many nodes as it is asked for, all different',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        const list = super.preferenceList(key, count);
        return Object.freeze(count > 2 ? list.with(2, list[0]!) : list);
      }
    },
  ),
  'a list stops at the replicas': mutant(
    'lists as many nodes as it is asked for, all different',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        return Object.freeze(super.preferenceList(key, count).slice(0, 3));
      }
    },
  ),
  'a longer list is another list': mutant(
    'makes a longer list by adding to the shorter one',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        const list = super.preferenceList(key, count);
        return Object.freeze(count > 3 ? [list[0]!, ...list.slice(1).reverse()] : list);
      }
    },
  ),
  'lists can be changed': mutant(
    'gives lists and nodes that cannot be changed',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        return [...super.preferenceList(key, count)];
      }
    },
  ),
  'nodes can be changed': mutant(
    'gives lists and nodes that cannot be changed',
    class extends Sound {
      override arrange(nodes: readonly PlacementNode[]) {
        return [...super.arrange(nodes)];
      }
    },
  ),
  'zones are not looked at': mutant(
    'visits every zone once before any zone twice',
    class extends Sound {
      override order(slot: number) {
        const scored = this.nodes.map((node) => ({ id: node.id, score: this.score(slot, node) }));
        return scored.sort((a, b) => a.score - b.score).map(({ id }) => id);
      }
    },
  ),
  'a zone with an empty name is no zone': mutant(
    'takes any zone name',
    class extends Sound {
      override order(slot: number): readonly NodeId[] {
        const named = this.nodes.map((node) => memberOf({ ...node, zone: node.zone || undefined }));
        return named.every(({ zone }, index) => zone === this.nodes[index]!.zone)
          ? super.order(slot)
          : this.become(named).order(slot);
      }
    },
  ),
  'weights are lost': mutant(
    'has the nodes it was given, with their weights and zones',
    class extends Sound {
      override arrange(nodes: readonly PlacementNode[]) {
        return super.arrange(nodes.map(({ id, zone }) => Object.freeze({ id, zone, weight: 1 })));
      }
    },
  ),
  'the answer depends on what was asked before': mutant(
    'answers alike however often and in whatever order it is asked',
    class extends Sound {
      #turn = 0;
      override order(slot: number) {
        const order = super.order(slot);
        this.#turn++;
        return this.#turn % 7 === 0 ? order.toReversed() : order;
      }
    },
  ),
  'each process has a secret of its own': mutant(
    'is the same when it is made anew of the same nodes',
    class extends Sound {
      static instances = 0;
      readonly #secret = ++(this.constructor as unknown as { instances: number }).instances;
      override positionOf(key: string) {
        return xxh32(this.routingKey(key), this.#secret);
      }
    },
  ),
  'the seed is the length of lists': mutant(
    'maps alike for whatever length of lists it is made',
    class extends Sound {
      #seed = 0;
      static override create(nodes: Iterable<NodeInput>, replicationFactor: number) {
        const made = new this([...super.create(nodes, replicationFactor).nodes]);
        made.#seed = replicationFactor;
        return made;
      }
      override positionOf(key: string) {
        return xxh32(this.routingKey(key), this.#seed);
      }
    },
  ),
  'arcs are those of the neighbours': mutant(
    'has arcs from the least bound on',
    class extends Sound {
      override arcs(count: number) {
        const { starts, rows } = super.arcs(count);
        return { starts, rows: [...Array.from(rows).slice(count), ...Array.from(rows).slice(0, count)] };
      }
    },
  ),
  'arcs leave out the first slots': mutant(
    'has arcs from the least bound on',
    class extends Sound {
      override arcs(count: number) {
        const { starts, rows } = super.arcs(count);
        return { starts: Array.from(starts).slice(1), rows: Array.from(rows).slice(count) };
      }
    },
  ),
  'positions are signed': mutant(
    'has slots that follow from positions',
    class extends Sound {
      override positionOf(key: string) {
        return super.positionOf(key) | 0;
      }
    },
  ),
  'the empty key is no key': mutant(
    'places every string, the empty one and lone surrogates too',
    class extends Sound {
      override routingKey(key: string) {
        if (!key) throw new Error('no key');
        return super.routingKey(key);
      }
    },
  ),
  'keys go through encodeURIComponent': mutant(
    'places every string, the empty one and lone surrogates too',
    class extends Sound {
      override routingKey(key: string) {
        return encodeURIComponent(super.routingKey(key));
      }
    },
  ),
  'long keys overflow the stack': mutant(
    'places a key of 1 MB',
    class extends Sound {
      override routingKey(key: string) {
        return String.fromCharCode(...Array.from(super.routingKey(key), (unit) => unit.charCodeAt(0)));
      }
    },
  ),
  'the buffer still has the end of a longer key in it': mutant(
    'places a text alike however it is kept in memory',
    class extends Sound {
      #before = '';
      override routingKey(key: string) {
        const text = super.routingKey(key);
        const read = text + this.#before.slice(text.length, text.length + 4);
        this.#before = text;
        return read;
      }
    },
  ),
  'what is no string is made one': mutant(
    'refuses a key that is no string',
    class extends Sound {
      override routingKey(key: string) {
        return super.routingKey(typeof key === 'symbol' ? 'symbol' : `${key}`);
      }
    },
  ),
  'hash tags are not known': mutant(
    'places keys of one hash tag alike',
    class extends Sound {
      override positionOf(key: string) {
        return xxh32(key, super.positionOf('') & 0);
      }
    },
  ),
  'hash tags end at the last brace': mutant(
    'places keys of one hash tag alike',
    class extends Sound {
      override routingKey(key: string) {
        const [open, close] = [key.indexOf('{'), key.lastIndexOf('}')];
        return open !== -1 && close > open + 1 ? key.slice(open + 1, close) : key;
      }
    },
  ),
  'an empty hash tag is a tag': mutant(
    'have no hash tag',
    class extends Sound {
      override routingKey(key: string) {
        const [open, close] = [key.indexOf('{'), key.indexOf('}')];
        return open !== -1 && close > open ? key.slice(open + 1, close) : key;
      }
    },
  ),
  'nodes are kept as properties of an object': mutant(
    'takes any id',
    class extends Sound {
      override arrange(nodes: readonly PlacementNode[]) {
        const byId: Record<string, PlacementNode> = {};
        for (const node of super.arrange(nodes)) byId[node.id] = node;
        return Object.freeze(Object.values(byId).sort((a, b) => compareIds(a.id, b.id)));
      }
    },
  ),
  'keys go by the number of nodes': mutant(
    'moves keys only to a node that joins',
    class extends Sound {
      override order(slot: number) {
        const start = slot % this.nodes.length;
        return [...this.nodes.slice(start), ...this.nodes.slice(0, start)].map(({ id }) => id);
      }
    },
  ),
  'keys of a node that stays move when another leaves': mutant(
    'moves only the keys of a node that leaves',
    class extends Sound {
      override withoutNode(id: NodeId) {
        const rest = super.withoutNode(id);
        const order = Sound.prototype.preferenceList;
        rest.preferenceList = function shifted(key, count) {
          return key.length % 9 === 8 ? order.call(this, `${key}.`, count) : order.call(this, key, count);
        };
        return rest;
      }
    },
  ),
  'weights are shares of the whole, as in ketama': mutant(
    'moves keys only to a node whose weight goes up',
    class extends Sound {
      // A node's points are a part of those of all, so that one weight changes the points of every node.
      override score(slot: number, node: PlacementNode) {
        const sum = this.nodes.reduce((total, { weight }) => total + weight, 0);
        const points = Math.max(1, Math.floor((6 * this.nodes.length * node.weight) / sum));
        return Math.min(...Array.from({ length: points }, (_, index) => xxh32(`${slot} ${node.id} ${index}`, 0)));
      }
    },
  ),
  'replicas go by the number of nodes when one joins': mutant(
    'lets a node that joins into a key’s first nodes',
    class extends Sound {
      override order(slot: number) {
        return withShiftedReplicas(super.order(slot));
      }
    },
  ),
  'replicas go by the number of nodes when one leaves': mutant(
    'lets a node that leaves out of a key’s first nodes',
    class extends Sound {
      override order(slot: number) {
        return withShiftedReplicas(super.order(slot));
      }
    },
  ),
  'replicas go by the weights of all': mutant(
    'lets a node of a new weight into a key’s first nodes',
    class extends Sound {
      override order(slot: number) {
        const sum = this.nodes.reduce((total, { weight }) => total + weight, 0);
        return Math.round(sum * 4) % 2 === 0 ? super.order(slot) : withShiftedReplicas(super.order(slot));
      }
    },
  ),
  'a change is made in place': mutant(
    'leaves a placement as it was when another is made of it',
    class extends Sound {
      override become(nodes: readonly PlacementNode[]) {
        Object.assign(this, { nodes: this.arrange(nodes) });
        return this;
      }
    },
  ),
  'a node that joins loses its zone': mutant(
    'has the members it was told of after a change',
    class extends Sound {
      override withNode({ id, weight }: NodeInput) {
        return super.withNode({ id, weight });
      }
    },
  ),
  'a new weight is forgotten': mutant(
    'has the members it was told of after a change',
    class extends Sound {
      override withWeight(id: NodeId, weight: number) {
        super.withWeight(id, weight);
        return this.become(this.nodes);
      }
    },
  ),
  'nodes are known by their place in the list': mutant(
    'does not depend on the order in which the nodes are given',
    class extends Sound {
      override arrange(nodes: readonly PlacementNode[]) {
        super.arrange(nodes);
        return Object.freeze([...nodes]);
      }
      override score(slot: number, node: PlacementNode) {
        return super.score(slot, { ...node, id: `${this.nodes.indexOf(node)}` });
      }
    },
  ),
  'a node that joins is remembered as the last to come': mutant(
    'were there from the start or joined one by one',
    class extends Sound {
      override withNode(node: NodeInput) {
        const joined = super.withNode(node);
        const { checksum } = joined;
        return Object.defineProperty(joined, 'checksum', { value: `0${checksum.slice(1)}` });
      }
    },
  ),
  'a node leaves traces': mutant(
    'is the same again after a node has joined and left',
    class extends Sound {
      override withoutNode(id: NodeId) {
        const left = super.withoutNode(id);
        return left.nodes.length < 2 ? left : left.withWeight(left.nodes[0]!.id, left.nodes[0]!.weight + 1);
      }
    },
  ),
  'a node that comes back is another': mutant(
    'is the same again after a node has left and come back',
    class extends Sound {
      static gone = new Set<NodeId>();
      override withoutNode(id: NodeId) {
        const left = super.withoutNode(id);
        (this.constructor as unknown as { gone: Set<NodeId> }).gone.add(id);
        return left;
      }
      override withNode(node: NodeInput) {
        const { gone } = this.constructor as unknown as { gone: Set<NodeId> };
        return super.withNode(gone.has(node.id) ? { ...node, weight: 3 } : node);
      }
    },
  ),
  'weights add up': mutant(
    'is the same again after a weight has changed and changed back',
    class extends Sound {
      override withWeight(id: NodeId, weight: number) {
        const before = this.nodes[memberIndex(this.nodes, id)]!.weight;
        return super.withWeight(id, weight > before ? weight : (weight + before) / 2);
      }
    },
  ),
  'shares do not sum to 1': mutant(
    'has one share for each node, in the order of the nodes',
    class extends Sound {
      override shares() {
        return new Map([...super.shares()].map(([id, share]) => [id, share / 2]));
      }
    },
  ),
  'shares are those of the weights': mutant(
    'has the shares that a sample of 20000 keys has',
    class extends Sound {
      override shares() {
        const sum = this.nodes.reduce((total, { weight }) => total + weight, 0);
        return new Map(this.nodes.map(({ id, weight }) => [id, weight / sum]));
      }
    },
  ),
  'one node has everything': mutant(
    'gives each node keys in proportion to its weight',
    class extends Sound {
      override score(_: number, node: PlacementNode) {
        return super.score(0, node);
      }
    },
  ),
  'weights decide nothing': mutant(
    'gives each node keys in proportion to its weight',
    class extends Sound {
      override score(slot: number, node: PlacementNode) {
        return super.score(slot, { ...node, weight: 1 });
      }
    },
  ),
  'shares are handed out to be changed': mutant(
    'is not changed by what is done to the shares',
    class extends Sound {
      #shares: ReadonlyMap<NodeId, number> | undefined;
      override shares() {
        this.#shares ??= super.shares();
        return this.#shares;
      }
    },
  ),
  'a snapshot has no zones': mutant(
    'comes back from its snapshot with the same mapping',
    class extends Sound {
      static override restore(snapshot: unknown) {
        const restored = super.restore(snapshot);
        return new this(restored.nodes.map((node) => memberOf({ ...node, zone: undefined })));
      }
    },
  ),
  'a snapshot is more than JSON': mutant(
    'has a snapshot of plain JSON',
    class extends Sound {
      override toSnapshot() {
        const snapshot = super.toSnapshot();
        return { ...snapshot, nodes: snapshot.nodes.map((node) => ({ ...node, zone: node.zone })) };
      }
    },
  ),
  'what is restored changes by another rule': mutant(
    'changes on from a snapshot as if nothing had been in between',
    class extends Sound {
      static override restore(snapshot: unknown) {
        return Object.assign(super.restore(snapshot), {
          withNode: (node: NodeInput) => new this(super.restore(snapshot).nodes).withNode({ ...node, weight: 2 }),
        });
      }
    },
  ),
  'a snapshot is handed out to be changed': mutant(
    'is not changed by what is done to a snapshot',
    class extends Sound {
      #snapshot: ReturnType<Sound['toSnapshot']> | undefined;
      override toSnapshot() {
        this.#snapshot ??= super.toSnapshot();
        return this.#snapshot;
      }
    },
  ),
  'altered snapshots are believed': mutant(
    'refuses a snapshot in which any one value was altered',
    class extends Sound {
      static override restore(snapshot: unknown) {
        const fields = typeof snapshot === 'string' ? JSON.parse(snapshot) : snapshot;
        const { checksum } = new this((fields.nodes as NodeInput[]).map(memberOf));
        return super.restore({ ...fields, checksum });
      }
    },
  ),
  'unknown fields of a snapshot are left out': mutant(
    'lacks a field or has one too many',
    class extends Sound {
      static override restore(snapshot: unknown) {
        if (typeof snapshot !== 'object' || snapshot === null) return super.restore(snapshot);
        const { another: _, ...rest } = snapshot as Record<string, unknown>;
        return super.restore(rest);
      }
    },
  ),
  'what is no snapshot ends in another error': mutant(
    'refuses what is no snapshot',
    class extends Sound {
      static override restore(snapshot: unknown) {
        return super.restore(typeof snapshot === 'string' ? JSON.parse(snapshot) : snapshot);
      }
    },
  ),
  'the checksum is of the ids alone': mutant(
    'has one checksum for one mapping, and another for another',
    class extends Sound {
      override get checksum() {
        return this.nodes
          .map(({ id }) => xxh32(id, 0).toString(16).padStart(8, '0'))
          .join('')
          .slice(0, 8)
          .repeat(2);
      }
    },
  ),
  'counts are clamped': mutant(
    'refuses a list of no nodes, of more than there are',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        return super.preferenceList(key, Math.max(1, Math.min(this.nodes.length, Math.floor(count) || 1)));
      }
    },
  ),
  'an error names the key': mutant(
    'refuses a list of no nodes, of more than there are',
    class extends Sound {
      override preferenceList(key: string, count: number) {
        try {
          return super.preferenceList(key, count);
        } catch (error) {
          (error as Error).message += ` (key ${key})`;
          throw error;
        }
      }
    },
  ),
  'removing a node that is not there is no mistake': mutant(
    'refuses to change or remove a node that is not there',
    class extends Sound {
      override withoutNode(id: NodeId): Sound {
        return this.nodes.some((node) => node.id === id) ? super.withoutNode(id) : this;
      }
    },
  ),
  'a node of a taken id replaces the other': mutant(
    'refuses a node whose id is taken',
    class extends Sound {
      override withNode(node: NodeInput): Sound {
        const others = this.nodes.filter(({ id }) => id !== node.id);
        return this.become(others).nodes.length === this.nodes.length ? super.withNode(node) : this;
      }
    },
  ),
  'misspelt fields of nodes are left out': mutant(
    'refuses what is no node',
    class extends Sound {
      override withNode(node: NodeInput) {
        if (typeof node !== 'object' || node === null) return super.withNode(node);
        const { id, weight, zone } = node;
        return super.withNode({ id, weight, zone });
      }
    },
  ),
  'a weight of 0 is a weight': mutant(
    'refuses a weight that is not a finite number above 0',
    class extends Sound {
      override withWeight(id: NodeId, weight: number) {
        return super.withWeight(id, weight === 0 ? 1e-9 : weight);
      }
    },
  ),
  'an empty placement has a node called undefined': mutant(
    'has no node for any key while it is empty',
    class extends Sound {
      override nodeFor(key: string) {
        return this.nodes.length === 0 ? (undefined as unknown as NodeId) : super.nodeFor(key);
      }
    },
  ),
  'the last node cannot leave': mutant(
    'can lose its last node and be given the first one again',
    class extends Sound {
      override withoutNode(id: NodeId) {
        if (this.nodes.length === 1) throw new Error('the last one');
        return super.withoutNode(id);
      }
    },
  ),
};

/** The owner stays, and the others turn by as many places as there are nodes. */
function withShiftedReplicas(order: readonly NodeId[]): readonly NodeId[] {
  const others = order.slice(1);
  const shift = (order.length * 5) % Math.max(1, others.length);
  return [...order.slice(0, 1), ...others.slice(shift), ...others.slice(0, shift)];
}
