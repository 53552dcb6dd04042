import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ERROR_KINDS, KubedosError } from '../errors.ts';
import type { ApiError } from './api-types.ts';
import type { ServerDeps } from './deps.ts';
import { messagePage } from './page.ts';

/** curl and others wait so long before they try again. */
const RETRY_AFTER_SECONDS = '30';

/** Renders what a route threw: JSON below /api/, a page elsewhere. What is not the client's doing goes to the log, not out. */
export function renderError(c: Context, thrown: unknown, log: ServerDeps['log']): Response | Promise<Response> {
  const error =
    thrown instanceof KubedosError
      ? thrown
      : new KubedosError('internal.bug', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  const status: ContentfulStatusCode = error.code === 'server.unauthorized' ? 401 : ERROR_KINDS[error.kind].http;
  if (status >= 500) {
    log({
      level: 'error',
      message: `answer ${c.req.method} ${c.req.path}: ${error.message}`,
      details: { code: error.code },
    });
  }
  if (status === 503 && error.retryable) c.header('Retry-After', RETRY_AFTER_SECONDS);
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="kubedos"');
  const message =
    error.kind === 'internal' ? 'the server failed; its operator finds the reason in the log' : error.message;
  if (!c.req.path.startsWith('/api/')) return c.html(messagePage('This did not work', message), status);
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return c.json<ApiError>({ error: { code: error.code, message, ...hint } }, status);
}
