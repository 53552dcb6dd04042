import type { Dispatcher, Agent as UndiciAgent } from 'undici';
import { KubedosError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { Exchange, type ExchangeContext, type Receive, redirectOf } from './exchange.ts';
import type { CredentialLookup } from './netrc.ts';
import { type ProxyChoice, proxyAuthorization } from './proxy.ts';
import type { ClientTls } from './types.ts';
import { Agent, loadProxyAgent } from './undici.ts';
import { type Credentials, type Place, placeOf, redactUrl, type Upstream, urlOf } from './url.ts';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;
/** Debian's mirrors need 1 KB; CDNs send some more. */
const MAX_HEADER_BYTES = 64 * 1024;

export interface HttpOptions extends ExchangeContext {
  readonly perHost: number;
  readonly userAgent: string;
  readonly credentials: CredentialLookup | undefined;
  readonly proxy: ProxyChoice;
  readonly tls: readonly ClientTls[];
}

export interface HttpRequest {
  readonly place: Place;
  readonly upstream: Upstream;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** GET over http and https, following redirects ourselves. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #agent: Dispatcher;
  /** Of hosts with a client certificate, by origin. */
  readonly #ownAgents = new Map<string, Dispatcher>();
  readonly #tunnels = new Map<string, Dispatcher>();
  /** By origin: the choice depends on nothing else. */
  readonly #proxies = new Map<string, URL | undefined>();

  constructor(options: HttpOptions) {
    if (!/^[\x20-\x7e]*$/.test(options.userAgent)) {
      throw new KubedosError('usage.argument', 'set the user agent: expected printable ASCII');
    }
    this.#options = options;
    this.#agent = new Agent(this.#agentOptions());
  }

  /** `receive` sees the final answer only. Failures of the network come as `net.failed` or `net.stalled`. */
  async get(request: HttpRequest, receive: Receive): Promise<Answer> {
    let { place } = request;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(place, request, receive);
      const location = redirectOf(answer);
      if (location === undefined) return answer;
      if (redirects === MAX_REDIRECTS) {
        throw new KubedosError('net.redirects', `fetch ${shown(request.place)}: more than ${MAX_REDIRECTS} redirects`);
      }
      place = placeOf(follow(urlOf(place), location));
    }
  }

  /** Ends everything at once, what is under way included. */
  async close(): Promise<void> {
    await Promise.all(
      [this.#agent, ...this.#ownAgents.values(), ...this.#tunnels.values()].map((dispatcher) => dispatcher.destroy()),
    );
  }

  #once(place: Place, request: HttpRequest, receive: Receive): Promise<Answer> {
    const headers: Record<string, string> = {
      'user-agent': this.#options.userAgent,
      // Files are hashed as they are: nothing may be packed or unpacked on the way.
      'accept-encoding': 'identity',
      ...request.headers,
    };
    const login = this.#credentialsFor(place, request.upstream);
    if (login !== undefined) {
      headers.authorization = `Basic ${Buffer.from(`${login.login}:${login.password}`).toString('base64')}`;
    }
    const route = this.#route(place, headers);
    return new Exchange(receive, { ...this.#options, signal: request.signal, place }).run(route.dispatcher, {
      origin: route.origin,
      path: route.path,
      headers,
    });
  }

  /** Those of the upstream's URL go to the upstream alone, never to where it redirects. */
  #credentialsFor(place: Place, upstream: Upstream): Credentials | undefined {
    if (upstream.credentials !== undefined && place.origin === upstream.host) return upstream.credentials;
    return this.#options.credentials?.(urlOf(place));
  }

  #route(place: Place, headers: Record<string, string>): { dispatcher: Dispatcher; origin: string; path: string } {
    const { origin, path } = place;
    const proxy = this.#proxyOf(place);
    if (proxy === undefined) return { dispatcher: this.#agentOf(origin), origin, path };
    if (origin.startsWith('https:')) return { dispatcher: this.#tunnel(proxy, origin), origin, path };
    // Plain http goes to the proxy in absolute form (RFC 9112 §3.2.2): caches serve it, and most refuse CONNECT to port 80.
    const authorization = proxyAuthorization(proxy);
    if (authorization !== undefined) headers['proxy-authorization'] = authorization;
    headers.host = origin.slice('http://'.length);
    return { dispatcher: this.#agent, origin: proxy.origin, path: origin + path };
  }

  #proxyOf(place: Place): URL | undefined {
    if (!this.#proxies.has(place.origin)) this.#proxies.set(place.origin, this.#options.proxy(urlOf(place)));
    return this.#proxies.get(place.origin);
  }

  #agentOf(origin: string): Dispatcher {
    const tls = this.#tlsOf(origin);
    if (tls === undefined) return this.#agent;
    const known = this.#ownAgents.get(origin);
    if (known !== undefined) return known;
    const made = new Agent({ ...this.#agentOptions(), connect: { timeout: CONNECT_TIMEOUT_MS, ...tls } });
    this.#ownAgents.set(origin, made);
    return made;
  }

  #tlsOf(origin: string): { cert: Buffer; key: Buffer; ca?: Buffer } | undefined {
    const tls = this.#options.tls.find((each) => each.origin === origin);
    if (tls === undefined) return undefined;
    const { certificate, key, ca } = tls;
    return { cert: Buffer.from(certificate), key: Buffer.from(key), ...(ca && { ca: Buffer.from(ca) }) };
  }

  #tunnel(proxy: URL, origin: string): Dispatcher {
    const tls = this.#tlsOf(origin);
    const name = tls === undefined ? proxy.href : `${proxy.href} ${origin}`;
    const known = this.#tunnels.get(name);
    if (known !== undefined) return known;
    const token = proxyAuthorization(proxy);
    const bare = new URL(proxy);
    bare.username = '';
    bare.password = '';
    const made = new (loadProxyAgent())({
      ...this.#agentOptions(),
      uri: bare.href,
      ...(token === undefined ? {} : { token }),
      ...(tls && { requestTls: tls }),
    });
    this.#tunnels.set(name, made);
    return made;
  }

  /** Timeouts of undici are off: the stall watch judges heads and bodies alike. */
  #agentOptions(): UndiciAgent.Options {
    return {
      connections: this.#options.perHost,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    };
  }
}

function shown(place: Place): string {
  return redactUrl(urlOf(place));
}

function follow(from: URL, location: string): URL {
  const refuse = (why: string): KubedosError =>
    new KubedosError('net.redirects', `fetch ${redactUrl(from)}: redirected ${why}`);
  let to: URL;
  try {
    to = new URL(location, from);
  } catch {
    throw refuse('to what is not a URL');
  }
  to.username = '';
  to.password = '';
  to.hash = '';
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw refuse(`to ${to.protocol}, expected http or https`);
  if (from.protocol === 'https:' && to.protocol === 'http:') throw refuse('from https down to http, which is refused');
  return to;
}
