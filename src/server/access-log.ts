import { isIP } from 'node:net';
import { isLoopback } from './bind-address.ts';
import type { AccessRecord } from './deps.ts';

/** One JSON object, without a line end. */
export function jsonLine(record: AccessRecord): string {
  const { time, durationMs, ...rest } = record;
  return JSON.stringify({ time: time.toISOString(), ...rest, durationMs: Math.round(durationMs * 1000) / 1000 });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The combined format of Apache and nginx, in UTC, without referrers and users: neither is ours to keep. */
export function combinedLine(record: AccessRecord): string {
  const iso = record.time.toISOString();
  const time = `${iso.slice(8, 10)}/${MONTHS[record.time.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  const request = `${record.method} ${record.path} HTTP/1.1`;
  return `${record.remote} - - [${time}] "${quoted(request)}" ${record.status} ${record.bytes} "-" "${quoted(record.userAgent)}"`;
}

/** As nginx does: what could end the field or the line becomes \xHH. */
function quoted(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must find
    /["\\\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/**
 * Who asked. A proxy on this machine says it in the last entry of X-Forwarded-For; what came before that, and what
 * others send, anybody can make up.
 */
export function clientAddress(address: string | undefined, forwarded: string | undefined): string {
  const last = forwarded?.slice(forwarded.lastIndexOf(',') + 1).trim() ?? '';
  return address !== undefined && isLoopback(address.replace(/^::ffff:/, '')) && isIP(last) !== 0
    ? last
    : (address ?? '-');
}

/** Beyond so much waiting text it is written at once. */
const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 250;

/**
 * Gathers lines and writes them together: a system call for each request costs as much as a small answer. At most a
 * quarter of a second is lost by a kill; `flush` at a stop loses nothing.
 */
export class LineBuffer {
  readonly #write: (text: string) => void;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#write(text);
  }
}
