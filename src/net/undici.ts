/**
 * The part of undici that every sync uses, by its file: its index loads fetch, WebSocket and cookies as well, which
 * takes five times as long (0.1 s against 0.5 s on two busy cores) and would be paid by each sync that has nothing to
 * do. undici names no `exports`, and its version is pinned.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const Agent = require('undici/lib/dispatcher/agent.js') as typeof import('undici').Agent;

/** Loaded when there is a proxy for https, and all of undici with it: tunnels need what its index adds to dispatchers. */
export function loadProxyAgent(): typeof import('undici').ProxyAgent {
  return (require('undici') as typeof import('undici')).ProxyAgent;
}
