/** A server over this store: what `serve`, `start` and `darksite check` share. */
import { join } from 'node:path';
import type { ServerDeps } from '../server/deps.ts';
import type { Listening, ListenOptions } from '../server/listen.ts';
import { type House, INSTALLATION } from '../wiring.ts';
import { uploads } from './uploads.ts';

export interface Serving extends Omit<ListenOptions, 'host' | 'port'> {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly options?: ServerDeps['options'];
  readonly log?: ServerDeps['log'] | undefined;
  readonly accessLog?: ServerDeps['accessLog'];
}

export const DEFAULT_PORT = 8480;

export async function serveHouse(house: House, serving: Serving = {}): Promise<Listening> {
  const [{ createApp }, { listen }, { fileStamp, folderStamp }] = await Promise.all([
    import('../server/app.ts'),
    import('../server/listen.ts'),
    import('../server/file-stamp.ts'),
  ]);
  const store = await house.store();
  const log = serving.log ?? (() => {});
  const app = await createApp({
    store,
    manifests: await house.manifests(),
    now: () => house.now(),
    log,
    webDir: join(INSTALLATION, 'web'),
    channelStamp: (name) => fileStamp(join(store.dir, 'channels', `${name}.json`)),
    badStamp: () => fileStamp(join(store.dir, 'bad')),
    onDamage: (sha256) => store.bad.add(sha256),
    clientConfig: (request) => house.clientConfig(request),
    keyStamp: () => folderStamp(join(store.dir, 'trust')),
    search: async (text, options) => (await house.catalog()).search(text, options),
    verifyToken: async (token) => (await house.catalog()).verifyToken(token, 'upload', house.now()),
    repos: uploads(house, log),
    publicKey: () => house.publicKeys(),
    accessLog: serving.accessLog,
    options: serving.options,
  });
  return listen(app, {
    host: serving.host ?? '127.0.0.1',
    port: serving.port ?? DEFAULT_PORT,
    tls: serving.tls,
    allowRemote: serving.allowRemote,
    drainMs: serving.drainMs,
  });
}

/** Resolves when the signal fires. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
