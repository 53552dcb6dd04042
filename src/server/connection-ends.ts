import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Sees to it that every response emits 'close'. Node does so for the one response that a socket is writing; those of
 * pipelined requests that wait behind it are dropped without a word when the connection breaks, and whatever they
 * hold open (files, counters) would stay.
 */
export class ConnectionEnds {
  readonly #waiting = new WeakMap<Socket, Set<ServerResponse>>();

  watch(socket: Socket, response: ServerResponse): void {
    let waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(socket, waiting);
      const left = waiting;
      // After Node's own handlers of the same event, which close the response that was being written.
      socket.once('close', () => setImmediate(() => dropAll(left)));
    }
    const own = waiting;
    own.add(response);
    response.once('close', () => own.delete(response));
  }
}

function dropAll(responses: ReadonlySet<ServerResponse>): void {
  for (const response of [...responses]) {
    response.destroy();
    response.emit('close');
  }
}
