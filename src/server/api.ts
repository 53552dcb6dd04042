import { Hono } from 'hono';
import { KubedosError } from '../errors.ts';
import { isLabelName } from '../store/names.ts';
import { baseUrl, type ClientLines } from './client-lines.ts';
import type { ServerDeps } from './deps.ts';
import { channelSummary, type Overview } from './overview.ts';

const DEFAULT_SNAPSHOTS = 100;
const MAX_SNAPSHOTS = 1000;
const DEFAULT_FOUND = 50;
const MAX_FOUND = 500;
const MAX_QUERY_LENGTH = 500;

/** The JSON API that reads; api-types.ts has its answers. Mounted below /api. */
export function readApi(parts: {
  readonly deps: ServerDeps;
  readonly lines: ClientLines;
  readonly overview: Overview;
}): Hono {
  const { deps, overview, lines } = parts;
  const api = new Hono();

  api.get('/store', (c) => {
    const { id, generation, created } = deps.store.identity;
    return c.json({ id, generation, created });
  });

  api.get('/mirrors', async (c) => c.json(await overview.mirrors()));
  api.get('/mirrors/:name', async (c) => {
    const mirror = (await overview.mirrors()).find(({ name }) => name === c.req.param('name'));
    if (mirror === undefined) throw absent('mirror', c.req.param('name'));
    return c.json(mirror);
  });

  api.get('/channels', async (c) => c.json(await overview.channels()));
  api.get('/channels/:name', async (c) => {
    const name = c.req.param('name');
    const channel = isLabelName(name) ? await deps.store.channels.read(name) : undefined;
    if (channel === undefined) throw absent('channel', name);
    return c.json(channelSummary(channel));
  });

  api.get('/snapshots', async (c) => {
    const limit = count(c.req.query('limit'), DEFAULT_SNAPSHOTS, MAX_SNAPSHOTS);
    return c.json(await overview.snapshots(limit));
  });
  api.get('/snapshots/:reference', async (c) => {
    return c.json(await overview.snapshot(await deps.store.snapshots.resolve(c.req.param('reference'))));
  });
  // The signed bytes, for those who check with gpgv.
  api.get('/snapshots/:reference/document', async (c) => {
    const { bytes } = await deps.store.snapshots.resolve(c.req.param('reference'));
    return c.body(new Uint8Array(bytes), 200, { 'Content-Type': 'application/json' });
  });
  api.get('/snapshots/:reference/signature', async (c) => {
    const { signature } = await deps.store.snapshots.resolve(c.req.param('reference'));
    return c.body(signature, 200, { 'Content-Type': 'application/pgp-signature' });
  });

  api.get('/search', async (c) => {
    const text = c.req.query('q') ?? '';
    if (text === '' || text.length > MAX_QUERY_LENGTH)
      throw new KubedosError(
        'server.request',
        `search: q has ${text.length} characters, expected 1 to ${MAX_QUERY_LENGTH}`,
      );
    if (deps.search === undefined) throw new KubedosError('store.not-found', 'search: this server has no catalog');
    const limit = count(c.req.query('limit'), DEFAULT_FOUND, MAX_FOUND);
    return c.json(await deps.search(text, { mirror: c.req.query('mirror'), limit }));
  });

  api.get('/client-config/:channel/:mirror', async (c) => {
    const { channel, mirror } = c.req.param();
    const config = await lines.of({ channel, mirror, base: baseUrl(deps, c.req.url) });
    if (config === undefined) throw absent('client configuration', `${channel}/${mirror}`);
    return c.body(config.text, 200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Disposition': `inline; filename="${config.fileName.replace(/[^\w.+-]/g, '_')}"`,
    });
  });
  return api;
}

function absent(kind: string, name: string): KubedosError {
  return new KubedosError('store.not-found', `find ${kind} ${JSON.stringify(name.slice(0, 200))}: there is none`);
}

function count(text: string | undefined, usual: number, most: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return Math.min(value, most);
  throw new KubedosError('server.request', `read limit: ${JSON.stringify(text.slice(0, 50))}, expected a whole number`);
}
