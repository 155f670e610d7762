/**
 * Commands that are rejected whatever their arguments, and how the reasons are worded.
 *
 * A refusal says what to do instead. Most say "choose one", because the command is about one server; those about the
 * connection are rejected with one node too, because all calls share it.
 */

export interface Refusal {
  readonly kind: 'refused';
  /** Why, and what to do instead: a clause that ends without a full stop. */
  readonly reason: string;
  /** True: where there is only one node, it may be sent there, as there is nothing to choose. */
  readonly isSingleNodeOnly: boolean;
}

export const refuse = (reason: string, isSingleNodeOnly?: 'single-node only'): Refusal => ({
  kind: 'refused',
  reason,
  isSingleNodeOnly: isSingleNodeOnly !== undefined,
});

/** For commands about one server: its state, its files, its settings. */
export const chooseNode = (what: string, more = '') =>
  refuse(`${what}; choose one: redis.on(nodeId).call(...)${more}`, 'single-node only');

const roleOfServer = refuse('it changes the role of a server; choose one: redis.on(nodeId).call(...)');
const clusterOnly = refuse('it is for Redis Cluster, but these servers are independent; redis.nodes() lists them');
export const ofTheConnection = (instead: string) =>
  refuse(`it would change the connection that all calls share; ${instead}`);
const ownMethod = (method: string) => refuse(`use ${method} instead`);
const replicationProtocol = refuse(
  'it is for replicas, and turns the connection into a stream; use a tool such as redis-cli',
);

/** BullMQ and Bull send this command first, on whatever client they are given. */
const forQueues = ". BullMQ and Bull need the client of one node: pass them redis.nodeFor('{queue}')";

export const eachOf = <Rule>(names: readonly string[], rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.map((name) => [name, rule]));

export const refusedCommands: ReadonlyMap<string, Refusal> = new Map(
  Object.entries<Refusal>({
    // One server.
    backup: chooseNode('it writes a backup of one server'),
    bgrewriteaof: chooseNode('it writes the file of one server'),
    bgsave: chooseNode('it writes the file of one server'),
    config: chooseNode('each node has its own settings'),
    debug: chooseNode('it inspects a single server'),
    hotkeys: chooseNode('it measures one server'),
    info: chooseNode('it describes a single server', forQueues),
    lastsave: chooseNode('each node saves at its own time'),
    latency: chooseNode('it measures one server'),
    module: chooseNode('each node has its own modules'),
    pfselftest: chooseNode('it tests one server'),
    role: chooseNode('each node has its own role'),
    save: chooseNode('it writes the file of one server'),
    commandlog: chooseNode('each node has its own log'),
    slowlog: chooseNode('each node has its own log'),
    swapdb: chooseNode('the nodes would swap at different moments'),
    time: chooseNode('each node has its own clock'),
    ...eachOf(['failover', 'replicaof', 'slaveof', 'shutdown'], roleOfServer),
    ...eachOf(['asking', 'cluster', 'clusterscan', 'readonly', 'readwrite', 'trimslots'], clusterOnly),
    ...eachOf(['psync', 'replconf', 'sync'], replicationProtocol),
    // The connection.
    himport: ofTheConnection('send it to a client of your own: redis.nodeFor(key).duplicate()'),
    auth: ofTheConnection("set `username` and `password` in the node's options"),
    client: ofTheConnection(`send it to the client of one node: redis.on(nodeId).client(...)${forQueues}`),
    hello: ofTheConnection("set `protocol`, `username` and `password` in the node's options"),
    reset: ofTheConnection('there is nothing to reset on it'),
    select: ofTheConnection("set `db` in the node's options"),
    monitor: ofTheConnection('watch one node: redis.on(nodeId).monitor()'),
    unwatch: ofTheConnection('use it with WATCH, on a connection of your own: redis.withConnection(key, use)'),
    multi: ownMethod('redis.multi()'),
    exec: ownMethod('exec() of the object that redis.multi() returns'),
    discard: ownMethod('discard() of the object that redis.multi() returns'),
    quit: ownMethod('redis.quit()'),
    scan: ownMethod('redis.scan(...) or redis.scanStream(...)'),
    ...Object.fromEntries(
      ['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe'].map((name) => [
        name,
        ownMethod(`redis.${name}(...)`),
      ]),
    ),
    // Commands with keys.
    watch: refuse(
      'it would affect the connection that all calls share; use one of your own: redis.withConnection(key, use)',
    ),
    pfdebug: refuse('it inspects a single server; choose one: redis.nodeFor(key).call(...)', 'single-node only'),
    'restore-asking': refuse('the nodes of a Redis Cluster send it to each other; use RESTORE'),
  }),
);
