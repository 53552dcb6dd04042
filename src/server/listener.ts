import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { clientAddress } from './access-log.ts';
import { ConnectionEnds } from './connection-ends.ts';
import type { ServerDeps } from './deps.ts';
import type { FileRoutes } from './files.ts';
import type { Metrics } from './metrics.ts';
import { targetPath } from './request-path.ts';
import { SendBuffers } from './send-buffers.ts';
import { CutShort, sendAnswer, sendBytes } from './send-socket.ts';

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/**
 * The way from a socket to an answer. Files go to `FileRoutes` directly and past hono, which has the same routes by way
 * of the same object, so there is one truth about them: going through hono costs 7 µs where all the rest of a small
 * file costs 23. Everything else is hono's.
 */
export function createListener(parts: {
  readonly deps: ServerDeps;
  readonly hono: Hono;
  readonly routes: FileRoutes;
  readonly metrics: Metrics;
}): Listener {
  const { deps, routes, metrics } = parts;
  const buffers = new SendBuffers();
  const ends = new ConnectionEnds();
  const trustProxy = deps.options?.trustProxy ?? false;
  const others = getRequestListener(parts.hono.fetch, { overrideGlobalObjects: false });

  const serveFile = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<number | undefined> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const answer = await routes.answer({ method, target: url, headers });
    if (answer === undefined) {
      await others(incoming, outgoing);
      return undefined;
    }
    try {
      const complete = await sendAnswer(answer, outgoing, buffers);
      return complete ? bodyLength(answer.headers) : undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof CutShort && answer.body.kind === 'object')
        routes.files.reportDamage(answer.body.ref, reason);
      else deps.log({ level: 'error', message: `send ${JSON.stringify(targetPath(url).slice(0, 200))}: ${reason}` });
      return undefined;
    }
  };

  return (incoming, outgoing) => {
    const startedMs = performance.now();
    const { socket, method = 'GET', url = '/' } = incoming;
    const writtenBefore = socket.bytesWritten;
    let bytes: number | undefined;
    metrics.begin();
    ends.watch(socket, outgoing);
    outgoing.once('close', () => {
      const record = {
        path: targetPath(url),
        status: outgoing.headersSent ? outgoing.statusCode : 499,
        // With what HTTP adds, where it is not known better.
        bytes: bytes ?? Math.max(0, socket.bytesWritten - writtenBefore),
        durationMs: performance.now() - startedMs,
      };
      metrics.end(record);
      deps.accessLog?.({
        ...record,
        time: deps.now(),
        remote: clientAddress(
          socket.remoteAddress,
          trustProxy ? incoming.headers['x-forwarded-for']?.toString() : undefined,
        ),
        method,
        userAgent: incoming.headers['user-agent'] ?? '-',
        complete: outgoing.writableFinished,
      });
    });
    const ready = routes.answerAtOnce(method, url, incoming.rawHeaders);
    if (ready !== undefined) {
      bytes = ready.bytes.length;
      sendBytes(ready, ready.bytes, outgoing);
    } else if (url.startsWith('/c/') || url.startsWith('/s/') || !url.startsWith('/')) {
      void serveFile(incoming, outgoing).then((sent) => {
        bytes = sent;
      });
    } else void others(incoming, outgoing);
  };
}

function bodyLength(headers: readonly string[]): number {
  const at = headers.indexOf('Content-Length');
  return at < 0 ? 0 : Number(headers[at + 1]);
}
