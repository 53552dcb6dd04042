import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { App } from './app.ts';
import { checkBindAddress, urlOf } from './bind-address.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM files, read at start. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Without it only loopback addresses are taken. */
  readonly allowRemote?: boolean | undefined;
  /** How long `close` lets answers finish; default 30 s. */
  readonly drainMs?: number | undefined;
}

export interface Listening {
  readonly url: string;
  /**
   * Takes no more connections, closes idle ones at once and the others when their answer is out; after `drainMs` it
   * breaks what is left. True if nothing had to be broken. Repeats share the first.
   */
  close(): Promise<boolean>;
}

/** Installers keep a connection over pauses of unpacking; nginx's default. */
const KEEP_ALIVE_MS = 75_000;
/** A connection on which nothing moves for so long is given up. */
const SILENCE_MS = 180_000;
/** For a whole request: uploads of gigabytes over slow lines. */
const REQUEST_MS = 3_600_000;
const DRAIN_MS = 30_000;

export async function listen(app: Pick<App, 'listener' | 'drain'>, options: ListenOptions): Promise<Listening> {
  const { host, port, allowRemote = false, drainMs = DRAIN_MS } = options;
  checkBindAddress(host, allowRemote);
  const server = await makeServer(app, options.tls);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.timeout = SILENCE_MS;
  server.requestTimeout = REQUEST_MS;
  await bind(server, host.replace(/^\[(.*)\]$/, '$1'), port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  let closing: Promise<boolean> | undefined;
  return {
    url: urlOf(options.tls ? 'https' : 'http', host, bound),
    close: () => {
      closing ??= drainAndClose(server, app, drainMs);
      return closing;
    },
  };
}

async function makeServer(app: Pick<App, 'listener'>, tls: ListenOptions['tls']): Promise<Server> {
  if (tls === undefined) return createHttpServer({ noDelay: true }, app.listener);
  const [cert, key] = await Promise.all([tls.certFile, tls.keyFile].map(readPem));
  try {
    return createHttpsServer({ cert, key, minVersion: 'TLSv1.2', noDelay: true }, app.listener);
  } catch (cause) {
    throw new KubedosError('usage.argument', `use ${tls.certFile} and ${tls.keyFile} for TLS: ${reasonOf(cause)}`, {
      hint: 'give a certificate chain and its private key as PEM',
      cause,
    });
  }
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw storageError(`read ${file} for TLS`, error);
  }
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const taken = errnoOf(cause) === 'EADDRINUSE';
    throw new KubedosError('usage.argument', `listen on ${host} port ${port}: ${reasonOf(cause)}`, {
      hint: taken ? 'something listens there already: stop it, or choose another --port' : undefined,
      cause,
    });
  }
}

async function drainAndClose(server: Server, app: Pick<App, 'drain'>, drainMs: number): Promise<boolean> {
  app.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection gets idle at the end of its answer, which nothing announces.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  let broken = false;
  const deadline = setTimeout(() => {
    broken = true;
    server.closeAllConnections();
  }, drainMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
  return !broken;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
