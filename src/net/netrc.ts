import { isIP } from 'node:net';
import type { Credentials } from './url.ts';

interface Entry {
  /** `undefined` for `default`. */
  readonly machine: string | undefined;
  login: string;
  password: string;
}

/** Looks credentials up by URL: those of the first entry that fits, `default` last. */
export type CredentialLookup = (url: URL) => Credentials | undefined;

/**
 * Reads the netrc form: `machine`, `login`, `password`, `account`, `default`, over one line or many; `macdef` is skipped
 * up to its blank line, `#` begins a comment where a word may begin. A machine may carry port and path, as in apt's
 * auth.conf(5): `machine example.org:8443/repo login me password secret`. Nothing in it: `undefined`.
 */
export function parseNetrc(content: string): CredentialLookup | undefined {
  const entries = readEntries(content);
  if (entries.length === 0) return undefined;
  entries.sort((a, b) => Number(a.machine === undefined) - Number(b.machine === undefined));
  return (url) => {
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) return undefined;
    const found = entries.find(({ machine }) => machine === undefined || fits(machine, url));
    return found === undefined ? undefined : { login: found.login, password: found.password };
  };
}

function readEntries(content: string): Entry[] {
  const entries: Entry[] = [];
  let current: Entry | undefined;
  const words = wordsOf(content);
  for (let word = words.next(); !word.done; word = words.next()) {
    const argument = (): string => {
      const next = words.next();
      return next.done ? '' : next.value;
    };
    if (word.value === 'machine' || word.value === 'default') {
      current = { machine: word.value === 'machine' ? argument() : undefined, login: '', password: '' };
      entries.push(current);
    } else if (word.value === 'login' && current !== undefined) current.login = argument();
    else if (word.value === 'password' && current !== undefined) current.password = argument();
    else if (word.value === 'account') argument();
  }
  return entries;
}

function* wordsOf(content: string): Generator<string, undefined> {
  let inMacro = false;
  for (const line of content.split(/\r?\n/)) {
    if (inMacro) {
      inMacro = line.trim() !== '';
      continue;
    }
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    for (const [index, word] of words.entries()) {
      // A password may hold or begin with #: a comment begins only where a keyword may stand.
      if (word.startsWith('#') && !/^(?:login|password|account|machine)$/.test(words[index - 1] ?? '')) break;
      if (word === 'macdef') {
        inMacro = true;
        break;
      }
      yield word;
    }
  }
}

function fits(machine: string, url: URL): boolean {
  const [, protocol, rest = ''] = /^(?:(https?):\/\/)?(.*)$/.exec(machine) ?? [];
  if (protocol !== undefined && `${protocol}:` !== url.protocol) return false;
  const slash = rest.indexOf('/');
  const host = (slash === -1 ? rest : rest.slice(0, slash)).toLowerCase();
  const path = slash === -1 ? '' : rest.slice(slash);
  if (host !== url.hostname && host !== url.host && host !== `${url.hostname}:${url.port || '443'}`) return false;
  return path === '' || url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}

/** `localhost` and its kin, 127/8, ::1. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
