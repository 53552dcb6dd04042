import { type Context, Hono } from 'hono';
import { KubedosError } from '../errors.ts';
import type { LocalRepos, ServerDeps, TokenHolder } from './deps.ts';

const DEFAULT_MAX_UPLOAD_BYTES = 4 * 1024 ** 3;
const MAX_TOKEN_LENGTH = 512;

/**
 * Changes of local repositories, for those who hold a token. Mounted below /api.
 * `POST /repos/NAME/packages` with the .deb as the body; `?component=`, `?force=true`. The same as
 * `PUT /repos/NAME/packages/FILE`, as `curl -T` sends it; where it goes is read from the package, not from that name.
 * `DELETE /repos/NAME/packages/PACKAGE` with `?version=` and `?architecture=`.
 */
export function uploadApi(deps: ServerDeps): Hono {
  const api = new Hono();

  const upload = async (c: Context, repo: string): Promise<Response> => {
    const by = await authorized(c, deps, repo);
    const body = c.req.raw.body;
    if (body === null) throw new KubedosError('server.request', 'upload: the body is empty, expected a .deb file');
    const maxBytes = deps.options?.maxUploadBytes ?? DEFAULT_MAX_UPLOAD_BYTES;
    if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const added = await useCases(deps).add({
      repo,
      body: limited(body, maxBytes),
      component: c.req.query('component'),
      force: c.req.query('force') === 'true',
      by,
      signal: c.req.raw.signal,
    });
    return c.json(added, 201);
  };
  api.post('/repos/:repo/packages', (c) => upload(c, c.req.param('repo')));
  api.put('/repos/:repo/packages/:file', (c) => upload(c, c.req.param('repo')));

  api.delete('/repos/:repo/packages/:package', async (c) => {
    const { repo, package: name } = c.req.param();
    const by = await authorized(c, deps, repo);
    const { version, architecture } = c.req.query();
    return c.json(await useCases(deps).remove({ repo, name, version, architecture, by, signal: c.req.raw.signal }));
  });
  return api;
}

function useCases(deps: ServerDeps): LocalRepos {
  if (deps.repos !== undefined) return deps.repos;
  throw new KubedosError('store.not-found', 'change a repository: this server only reads', {
    hint: 'use `kubedos repo add` where the store is',
  });
}

/** Who asks, or `server.unauthorized`. The token itself goes to the check and nowhere else. */
async function authorized(c: Context, deps: ServerDeps, repo: string): Promise<TokenHolder> {
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  const holder = token === '' || token.length > MAX_TOKEN_LENGTH ? undefined : await deps.verifyToken?.(token);
  if (holder === undefined) {
    throw new KubedosError('server.unauthorized', `change repository ${repo}: no token, or not a valid one`, {
      hint: 'make one with `kubedos token create` and send it as `Authorization: Bearer TOKEN`',
    });
  }
  if (holder.repos !== undefined && !holder.repos.includes(repo))
    throw new KubedosError('server.unauthorized', `change repository ${repo}: the token is not for this one`);
  return holder;
}

async function* limited(body: ReadableStream<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

function tooLarge(maxBytes: number): KubedosError {
  return new KubedosError('server.request', `upload: larger than ${maxBytes} bytes`);
}
