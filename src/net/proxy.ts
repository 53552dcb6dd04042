import { BlockList, isIP } from 'node:net';
import { KubedosError } from '../errors.ts';
import { isLoopback } from './netrc.ts';

export type ProxyChoice = (url: URL) => URL | undefined;

/**
 * http_proxy, https_proxy, all_proxy and no_proxy, lower case before upper case. Loopback is never proxied.
 * no_proxy: `*`, host names with or without leading dot (subdomains included), `host:port`, addresses, CIDR blocks.
 */
export function proxyFromEnv(env: Readonly<Record<string, string | undefined>>): ProxyChoice {
  const read = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const all = read('all_proxy');
  const byProtocol = new Map([
    ['http:', parseProxy('http_proxy', read('http_proxy') ?? all)],
    ['https:', parseProxy('https_proxy', read('https_proxy') ?? all)],
  ]);
  const exempt = parseNoProxy(read('no_proxy') ?? '');
  return (url) => {
    const proxy = byProtocol.get(url.protocol);
    return proxy === undefined || isLoopback(url.hostname) || exempt(url) ? undefined : proxy;
  };
}

function parseProxy(variable: string, value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  try {
    const url = new URL(value.includes('://') ? value : `http://${value}`);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // Told below, without the value: it may hold a password.
  }
  throw new KubedosError('usage.argument', `read ${variable}: expected http://host:port or https://host:port`);
}

function parseNoProxy(value: string): (url: URL) => boolean {
  const blocks = new BlockList();
  const names: string[] = [];
  let everything = false;
  for (const word of value.split(/[\s,]+/).filter((word) => word !== '')) {
    const [address = '', bits] = word.split('/');
    const family = isIP(address);
    if (word === '*') everything = true;
    else if (family !== 0 && bits !== undefined) blocks.addSubnet(address, Number(bits), `ipv${family as 4 | 6}`);
    else if (family !== 0) blocks.addAddress(address, `ipv${family as 4 | 6}`);
    else names.push(word.toLowerCase().replace(/^\*?\./, ''));
  }
  return (url) => {
    if (everything) return true;
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const family = isIP(host);
    if (family !== 0) return blocks.check(host, `ipv${family as 4 | 6}`);
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return names.some((name) => {
      const [domain = '', only] = name.split(':');
      return (only === undefined || only === port) && (host === domain || host.endsWith(`.${domain}`));
    });
  };
}

/** What goes into Proxy-Authorization, if the proxy's URL holds credentials. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '') return undefined;
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
