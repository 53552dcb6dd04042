/** An HTTP server that serves bytes well or badly, as told per path and per request. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour =
  /** All or a range, as a good server does. */
  | { readonly kind: 'serve' }
  /** 200 with everything, whatever Range says. */
  | { readonly kind: 'ignore-range' }
  /** 416 to every Range. */
  | { readonly kind: 'refuse-range' }
  /** 206, but from another offset or of another total. */
  | { readonly kind: 'wrong-range'; readonly start: number; readonly total: number }
  /** Announces everything, sends this many bytes, then resets the connection. */
  | { readonly kind: 'reset'; readonly after: number }
  /** Chunked, and ends in good order after this many bytes. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** Announces these many bytes. */
  | { readonly kind: 'announce'; readonly sizeBytes: number }
  /** Chunked, without end. */
  | { readonly kind: 'endless' }
  /** A byte now and then, for ever. */
  | { readonly kind: 'drip' }
  /** Takes the request and says nothing. */
  | { readonly kind: 'silent' }
  /** As a good server, after a while: for what needs requests to overlap. */
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'other-bytes' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number };

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface BadUpstream {
  /** Root URL without a slash at the end. */
  readonly url: string;
  readonly seen: SeenRequest[];
  /** The most requests that were under way at once. */
  readonly peak: () => number;
  /** What the next requests for a path get, one each; then the file is served. Paths as sent, percent-encoding and all. */
  script(path: string, ...behaviours: Behaviour[]): void;
  /** What every request for a path gets. */
  always(path: string, behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** `files`: path as sent (with a slash before it) to bytes. */
export async function badUpstream(files: Readonly<Record<string, Buffer>>): Promise<BadUpstream> {
  const scripts = new Map<string, Behaviour[]>();
  const constant = new Map<string, Behaviour>();
  const seen: SeenRequest[] = [];
  let running = 0;
  let peak = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push({ path, headers: request.headers });
    peak = Math.max(peak, ++running);
    response.on('close', () => running--);
    const behaviour = scripts.get(path)?.shift() ?? constant.get(path) ?? { kind: 'serve' };
    behave(behaviour, files[path], request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    peak: () => peak,
    script: (path, ...behaviours) => scripts.set(path, behaviours),
    always: (path, behaviour) => constant.set(path, behaviour),
    close: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function behave(
  behaviour: Behaviour,
  file: Buffer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (behaviour.kind === 'status') {
    response.writeHead(behaviour.status, behaviour.headers).end(`status ${behaviour.status}`);
    return;
  }
  if (behaviour.kind === 'redirect') {
    response.writeHead(behaviour.status ?? 302, { location: behaviour.to }).end();
    return;
  }
  if (behaviour.kind === 'silent') return;
  if (behaviour.kind === 'late') {
    setTimeout(() => behave({ kind: 'serve' }, file, request, response), behaviour.ms);
    return;
  }
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  const range = behaviour.kind === 'ignore-range' ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = range ? Number(range[1]) : 0;
  if (range && (behaviour.kind === 'refuse-range' || start >= file.length)) {
    response.writeHead(416).end();
    return;
  }
  const head = { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', etag: `"${file.length}"` };
  if (request.headers['if-none-match'] === head.etag) {
    response.writeHead(304, head).end();
    return;
  }
  const body = behaviour.kind === 'other-bytes' ? Buffer.alloc(file.length - start, 'x') : file.subarray(start);
  const status = range ? 206 : 200;
  const contentRange = range ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {};
  switch (behaviour.kind) {
    case 'wrong-range':
      response.writeHead(206, { ...head, 'content-range': `bytes ${behaviour.start}-9/${behaviour.total}` }).end(body);
      return;
    case 'reset':
      response.writeHead(status, { ...head, ...contentRange, 'content-length': body.length });
      response.write(body.subarray(0, behaviour.after), () => response.socket?.resetAndDestroy());
      return;
    case 'truncate':
      response.writeHead(status, { ...head, ...contentRange });
      response.write(body.subarray(0, behaviour.after));
      response.end();
      return;
    case 'announce':
      response.writeHead(status, { ...head, 'content-length': behaviour.sizeBytes });
      response.write(body.subarray(0, 10));
      return;
    case 'endless':
      response.writeHead(status, head);
      pour(response);
      return;
    case 'drip': {
      response.writeHead(status, { ...head, ...contentRange, 'content-length': body.length });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    default:
      response.writeHead(status, { ...head, ...contentRange, 'content-length': body.length }).end(body);
  }
}

function pour(response: ServerResponse): void {
  if (response.destroyed) return;
  if (response.write(Buffer.alloc(64 * 1024))) setImmediate(() => pour(response));
  else response.once('drain', () => pour(response));
}
