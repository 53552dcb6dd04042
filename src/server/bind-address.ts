import { BlockList, isIP } from 'node:net';
import { KubedosError } from '../errors.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach what listens there. A name other than localhost is not looked up, and counts as not. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Refuses (`usage.bind`) what others could reach, unless that is wanted. */
export function checkBindAddress(host: string, allowRemote: boolean): void {
  if (allowRemote || isLoopback(host)) return;
  throw new KubedosError('usage.bind', `listen on ${host}: expected a loopback address such as 127.0.0.1`, {
    hint: 'others could read this store: say --allow-remote if that is what you want',
  });
}

/** `http://127.0.0.1:8080`, `https://[::1]:8443` */
export function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  return `${scheme}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}
