import { Hono } from 'hono';
import { KubedosError } from '../errors.ts';
import { PAGE_HEADERS } from './answer.ts';
import { readApi } from './api.ts';
import { baseUrl, ClientLines } from './client-lines.ts';
import { metricsText, offerMetrics } from './cluster-metrics.ts';
import type { ServerDeps } from './deps.ts';
import { FileRoutes } from './files.ts';
import { renderError } from './http-error.ts';
import { createListener, type Listener } from './listener.ts';
import { Metrics } from './metrics.ts';
import { Overview } from './overview.ts';
import { messagePage } from './page.ts';
import { toResponse } from './send-response.ts';
import { startPage } from './start-page.ts';
import { startPageFacts } from './start-page-facts.ts';
import { readStaticFiles } from './static-files.ts';
import { uploadApi } from './upload-api.ts';

export interface App {
  /** All routes; `hono.request()` needs no socket. */
  readonly hono: Hono;
  /** The same routes for node:http. */
  readonly listener: Listener;
  readonly metrics: Metrics;
  /** From now on `/readyz` says no, so that load balancers look elsewhere while the last answers go out. */
  drain(): void;
}

export async function createApp(deps: ServerDeps): Promise<App> {
  const routes = new FileRoutes(deps);
  const overview = new Overview(deps.store, routes.views);
  const lines = new ClientLines(deps, routes.views);
  const metrics = new Metrics({ cachedBytes: () => routes.reader.cachedBytes });
  offerMetrics(metrics.registry);
  const files = await readStaticFiles(deps.webDir);
  const state = { draining: false };
  const hono = new Hono();

  hono.use(async (c, next) => {
    await next();
    if (c.res.headers.get('content-type')?.startsWith('text/html') && !/^\/[cs]\//.test(c.req.path))
      for (let i = 0; i + 1 < PAGE_HEADERS.length; i += 2)
        c.res.headers.set(PAGE_HEADERS[i] ?? '', PAGE_HEADERS[i + 1] ?? '');
    else c.res.headers.set('X-Content-Type-Options', 'nosniff');
  });

  for (const area of ['c', 's']) {
    hono.get(`/${area}`, (c) => c.redirect(`/${area}/`, 301));
    hono.all(`/${area}/*`, async (c) => {
      const { method, url } = c.req;
      const answer = await routes.answer({ method, target: url, headers: c.req.header() });
      return answer === undefined ? c.notFound() : toResponse(answer, method);
    });
  }

  hono.get('/healthz', (c) => c.text('ok\n'));
  hono.get('/readyz', async (c) => {
    if (state.draining) return c.text('stopping\n', 503);
    await deps.store.channels.list();
    return c.text('ready\n');
  });
  hono.get('/metrics', async (c) =>
    c.body(await metricsText(metrics.registry), 200, { 'Content-Type': metrics.registry.contentType }),
  );

  hono.get('/web/:name', (c) => {
    const file = files.get(c.req.param('name'));
    if (file === undefined) return c.notFound();
    const headers = { ETag: file.etag, 'Cache-Control': 'public, max-age=300' };
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers);
    return c.body(new Uint8Array(file.bytes), 200, { ...headers, 'Content-Type': file.contentType });
  });

  hono.get('/key.asc', async (c) => {
    if (deps.publicKey === undefined) return c.notFound();
    return c.body(await deps.publicKey(), 200, { 'Content-Type': 'application/pgp-keys' });
  });

  hono.route('/api', readApi({ deps, overview, lines }));
  hono.route('/api', uploadApi(deps));

  hono.get('/', async (c) => {
    c.header('Cache-Control', 'no-cache');
    return c.html(startPage(await startPageFacts({ deps, overview, lines }, baseUrl(deps, c.req.url))));
  });

  hono.notFound((c) => {
    if (!c.req.path.startsWith('/api/'))
      return c.html(messagePage('Not found', 'There is nothing at this address.'), 404);
    return renderError(c, new KubedosError('store.not-found', `find ${c.req.path}: no such route`), deps.log);
  });
  hono.onError((error, c) => renderError(c, error, deps.log));

  const listener = createListener({ deps, hono, routes, metrics });
  const drain = (): void => {
    state.draining = true;
  };
  return { hono, listener, metrics, drain };
}
