/** One process of a server of several: `serve-worker.ts DATA-FOLDER PORT`. */
import { join } from 'node:path';
import { createApp } from '../../src/server/app.ts';
import { workerReady } from '../../src/server/cluster.ts';
import { fileStamp } from '../../src/server/file-stamp.ts';
import { listen } from '../../src/server/listen.ts';
import { ManifestReader } from '../../src/store/manifest-reader.ts';
import { openStore } from '../../src/store/store.ts';

const [dir = '', port = '0'] = process.argv.slice(2);
const store = await openStore(dir);
const app = await createApp({
  store,
  manifests: new ManifestReader(store.objects),
  now: () => new Date(),
  log: () => undefined,
  webDir: join(import.meta.dirname, '../../web'),
  channelStamp: (name) => fileStamp(join(dir, 'channels', `${name}.json`)),
  badStamp: () => fileStamp(join(dir, 'bad')),
  accessLog: () => undefined,
});
const server = await listen(app, { host: '127.0.0.1', port: Number(port), drainMs: 10_000 });
await workerReady(server.url);
await server.close();
process.exit(0);
