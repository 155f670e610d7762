/** A TCP proxy on loopback that misbehaves on demand: what networks, dying servers and wrong addresses do to a client. */

import { connect, createServer, type Socket } from 'node:net';

/**
 * What happens to bytes from now on, on connections new and old:
 *
 * - `forward`: they pass.
 * - `loseReply`: requests pass; the next reply is dropped and its connection reset. The server has executed the request.
 * - `swallowReplies`: requests pass; replies are dropped and the connection stays open.
 * - `stall`: requests are read and dropped, and nothing is answered. A connection that lost a request this way stays deaf:
 *   no network loses bytes from the midst of a connection.
 * - `hold`: requests pass; replies are kept until {@link TcpProxy.release} lets some of their bytes go: a slow line, in steps.
 * - `{ answer }`: every chunk of requests is answered with these bytes, and the server sees none of them.
 */
export type Behaviour = 'forward' | 'hold' | 'loseReply' | 'swallowReplies' | 'stall' | { readonly answer: string };

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Clients connected now. */
  readonly connectionCount: number;
  /** Clients that ever connected. */
  readonly acceptedCount: number;
  /** Times that something was dropped: requests, or replies. */
  readonly droppedCount: number;
  behaviour: Behaviour;
  /**
   * Drops all bytes of connections that are open now, both ways and for good, as a firewall does that has forgotten them; new
   * ones pass. @param serverPort  Only of the one that the server knows by this port of ours. Default: all.
   */
  forget(serverPort?: number): void;
  /** Bytes of replies that are kept by `hold`. */
  readonly heldBytes: number;
  /** Lets so many of the bytes go that are kept for each connection. Resolves when they are in the client's socket. */
  release(bytes: number): Promise<void>;
  /** Ends all connections with a TCP reset. */
  resetAll(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const clients = new Set<Socket>();
  const joints = new Set<{ readonly upstream: Socket; isForgotten: boolean }>();
  const held = new Map<Socket, Buffer>();
  let acceptedCount = 0;
  let droppedCount = 0;

  const server = createServer((client) => {
    acceptedCount++;
    clients.add(client);
    client.once('close', () => {
      clients.delete(client);
      held.delete(client);
      joints.delete(joint);
    });
    const joint = { upstream: connect(target.port, '127.0.0.1'), isForgotten: false };
    joints.add(joint);
    const hold = (reply: Buffer) => held.set(client, Buffer.concat([held.get(client) ?? Buffer.alloc(0), reply]));
    const onDrop = () => {
      droppedCount++;
    };
    join(client, joint.upstream, () => (joint.isForgotten ? 'stall' : proxy.behaviour), hold, onDrop);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };

  const resetAll = () => {
    for (const client of clients) client.resetAndDestroy();
  };
  const release = async (bytes: number) => {
    const written = [...held].map(([client, reply]) => {
      held.set(client, reply.subarray(bytes));
      return new Promise<void>((resolve) => client.write(reply.subarray(0, bytes), () => resolve()));
    });
    await Promise.all(written);
  };
  const close = async () => {
    resetAll();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const proxy: TcpProxy = {
    port,
    url: `redis://127.0.0.1:${port}`,
    behaviour: 'forward',
    get connectionCount() {
      return clients.size;
    },
    get acceptedCount() {
      return acceptedCount;
    },
    get droppedCount() {
      return droppedCount;
    },
    forget(serverPort) {
      for (const joint of joints) {
        if (serverPort === undefined || joint.upstream.localPort === serverPort) joint.isForgotten = true;
      }
    },
    get heldBytes() {
      return [...held.values()].reduce((sum, { length }) => sum + length, 0);
    },
    release,
    resetAll,
    close,
    [Symbol.asyncDispose]: close,
  };
  return proxy;
}

function join(
  client: Socket,
  server: Socket,
  behaviourNow: () => Behaviour,
  hold: (reply: Buffer) => void,
  onDrop: () => void,
): void {
  let isDeaf = false;
  client.on('data', (request) => {
    const behaviour = behaviourNow();
    isDeaf ||= behaviour === 'stall';
    if (isDeaf) onDrop();
    else if (typeof behaviour === 'object') client.write(behaviour.answer);
    else server.write(request);
  });
  server.on('data', (reply) => {
    const behaviour = behaviourNow();
    if (behaviour === 'forward') client.write(reply);
    else if (behaviour === 'hold') hold(reply);
    else {
      onDrop();
      if (behaviour === 'loseReply') client.resetAndDestroy();
    }
  });
  // The end of one side is the end of the other. Errors are the point of this proxy and show as a closed connection.
  for (const [side, other] of [
    [client, server],
    [server, client],
  ] as const) {
    side.on('error', () => undefined);
    side.on('close', () => other.destroy());
  }
}
