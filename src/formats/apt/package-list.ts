/**
 * Lists of packages as hosts give them: `dpkg -l`, `dpkg --get-selections`, `dpkg-query -W`, `apt-mark showmanual`, or
 * written by hand: `name`, `name:arch`, `name=version`, one a line, with # comments. The forms may be mixed.
 */
import { quoted, syntaxError } from './syntax.ts';

export interface ListedPackage {
  readonly name: string;
  /** As written after the name or in dpkg -l's column, unless it is `all`. */
  readonly architecture?: string;
  readonly version?: string;
  /** `name=version` demands that version; the other forms report it. */
  readonly exact: boolean;
  /** From 1. */
  readonly line: number;
}

/** Most lines of a list. */
export const MAX_LISTED = 1_000_000;

/** What is installed by a list, in its order; what was removed or purged is left out. `format.syntax` for other lines. */
export function parsePackageList(text: string, origin: string): ListedPackage[] {
  const lines = text.split('\n', MAX_LISTED + 1);
  if (lines.length > MAX_LISTED) throw syntaxError(origin, MAX_LISTED, `more than ${MAX_LISTED} lines`);
  const listed: ListedPackage[] = [];
  for (const [at, line] of lines.entries()) {
    const parsed = parseLine(line.trimEnd(), at + 1, origin);
    if (parsed !== undefined) listed.push(parsed);
  }
  return listed;
}

/** dpkg -l: desired action, status, error or a blank, and blanks. */
const DPKG_LINE = /^[uihrp][ncHUFWti][ R] +/;
const DPKG_HEADER = /^(?:Desired=|\| Status=|\|\/ Err\?=|\|\|\/ Name|\+\+\+-)/;
/** Second letter of the status: installed, or waiting for triggers alone. */
const INSTALLED = 'iWt';
const SELECTIONS = new Map([
  ['install', true],
  ['hold', true],
  ['deinstall', false],
  ['purge', false],
]);

function parseLine(line: string, number: number, origin: string): ListedPackage | undefined {
  if (line === '' || line.startsWith('#') || DPKG_HEADER.test(line)) return undefined;
  const status = DPKG_LINE.exec(line)?.[0];
  if (status !== undefined && line.length > status.length) {
    const [name = '', version, architecture] = line.slice(status.length).split(/\s+/, 3);
    // A line of names never has three columns after such a status.
    if (architecture !== undefined && version !== undefined) {
      if (!INSTALLED.includes(status[1] as string)) return undefined;
      return listedPackage({ name, version, architecture, exact: false, line: number }, origin);
    }
  }
  const bare = line.split(/\s#/, 1)[0]?.trim() ?? '';
  const [name = '', second, ...rest] = bare.split(/\s+/);
  if (rest.length > 0) throw notAPackage(line, number, origin);
  if (second !== undefined) {
    const selected = SELECTIONS.get(second);
    if (selected === false) return undefined;
    if (selected === undefined && !/^\d/.test(second)) throw notAPackage(line, number, origin);
    const version = selected === undefined ? second : undefined;
    return listedPackage({ name, version, architecture: undefined, exact: false, line: number }, origin);
  }
  const [wanted = '', version, ...more] = name.split('=');
  if (more.length > 0 || version === '') throw notAPackage(line, number, origin);
  return listedPackage(
    { name: wanted, version, architecture: undefined, exact: version !== undefined, line: number },
    origin,
  );
}

interface Raw {
  readonly name: string;
  readonly version: string | undefined;
  readonly architecture: string | undefined;
  readonly exact: boolean;
  readonly line: number;
}

function listedPackage(raw: Raw, origin: string): ListedPackage {
  const [name = '', qualifier, ...more] = raw.name.split(':');
  if (!/^[A-Za-z0-9][A-Za-z0-9+._-]*$/.test(name) || more.length > 0 || qualifier === '')
    throw notAPackage(raw.name, raw.line, origin);
  const architecture = qualifier ?? raw.architecture;
  return {
    name,
    ...(architecture !== undefined && architecture !== 'all' && { architecture }),
    ...(raw.version !== undefined && { version: raw.version }),
    exact: raw.exact,
    line: raw.line,
  };
}

function notAPackage(text: string, line: number, origin: string): Error {
  return syntaxError(
    origin,
    line,
    `expected a package (name, name=version, or a line of dpkg -l), got ${quoted(text)}`,
  );
}
