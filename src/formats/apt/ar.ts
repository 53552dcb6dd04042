/** The ar archives that .deb files are (deb(5), ar(5)): short names, no symbol table. */
import { KubedosError } from '../../errors.ts';
import { ByteReader } from '../byte-reader.ts';
import type { ByteSource } from '../byte-source.ts';
import { parseDecimal, quoted } from './syntax.ts';

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
const HEADER_END = '`\n';
const MAX_NAME_LENGTH = 16;
/** More members than this are no package: it has three, and may have a few that begin with `_`. */
export const MAX_AR_MEMBERS = 64;

export interface ArMember {
  readonly name: string;
  readonly sizeBytes: number;
  /** The member's bytes; to be read, once, before the next member is asked for, or else they are skipped. */
  readonly data: AsyncIterable<Buffer>;
}

/** The members in order, to the end of the file. `format.syntax` says the byte at which the archive breaks its format. */
export async function* readAr(source: ByteSource, origin: string): AsyncGenerator<ArMember> {
  const reader = new ByteReader(source, origin);
  try {
    const refuse = (why: string) =>
      new KubedosError('format.syntax', `read ${origin}: not an ar archive at byte ${reader.position}: ${why}`);
    if ((await reader.read(MAGIC.length)).toString('latin1') !== MAGIC) throw refuse('no magic');
    for (let members = 0; !(await reader.ended()); members++) {
      if (members === MAX_AR_MEMBERS)
        throw new KubedosError('format.limit', `read ${origin}: more than ${MAX_AR_MEMBERS} members`);
      const header = (await reader.read(HEADER_BYTES)).toString('latin1');
      if (!header.endsWith(HEADER_END)) throw refuse('no member header');
      const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
      const sizeBytes = parseDecimal(header.slice(48, 58).trimEnd());
      if (sizeBytes === undefined) throw refuse(`size ${quoted(header.slice(48, 58))}`);
      if (name === '' || name.includes('/') || name.startsWith('#')) throw refuse(`member name ${quoted(name)}`);
      const end = reader.position + sizeBytes;
      yield { name, sizeBytes, data: reader.pieces(sizeBytes) };
      await reader.skip(end - reader.position);
      // Members begin at even bytes; at the very end the padding may be missing.
      if (sizeBytes % 2 === 1 && !(await reader.ended()) && (await reader.read(1))[0] !== 10)
        throw refuse('no padding');
    }
  } finally {
    await reader.close();
  }
}

/** An archive of members in memory, with owner 0 and mode 0644 as dpkg-deb writes it. */
export function* writeAr(
  members: Iterable<{ readonly name: string; readonly data: Uint8Array }>,
  options: { readonly mtimeSeconds?: number } = {},
): Generator<Buffer> {
  yield Buffer.from(MAGIC);
  for (const { name, data } of members) {
    if (name === '' || name.length > MAX_NAME_LENGTH || /[^!-.0-~]/.test(name) || name.startsWith('#'))
      throw new KubedosError('format.syntax', `write ar: member name ${quoted(name)}`);
    const owner = '0     0     100644  ';
    const header = `${name.padEnd(16)}${String(options.mtimeSeconds ?? 0).padEnd(12)}${owner}${String(data.length).padEnd(10)}${HEADER_END}`;
    yield Buffer.from(header, 'latin1');
    yield Buffer.from(data);
    if (data.length % 2 === 1) yield Buffer.from('\n');
  }
}
