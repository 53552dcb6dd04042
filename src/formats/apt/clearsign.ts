/** The cleartext signature framework (RFC 9580 §7): taking the text out, to parse it. Whether to believe it is for trust/ to say. */
import { asBuffer } from '../byte-source.ts';
import { limitError, syntaxError } from './syntax.ts';

const BEGIN_MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----';
const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END_SIGNATURE = '-----END PGP SIGNATURE-----';
/** Largest clearsigned document. */
const MAX_CLEARSIGNED_BYTES = 64 * 1024 * 1024;

/**
 * The text within the armour of a clearsigned document; a document without armour as it is. UNVERIFIED. Dash escapes and
 * blanks at the ends of lines (which are not signed) are gone; text around the block and a second block are refused.
 */
export function unverifiedContent(bytes: Uint8Array, origin: string): Buffer {
  if (bytes.length > MAX_CLEARSIGNED_BYTES)
    throw limitError(origin, 1, `clearsigned text is larger than ${MAX_CLEARSIGNED_BYTES} bytes`);
  const whole = asBuffer(bytes);
  if (!whole.includes(BEGIN_MESSAGE)) return whole;
  // latin1 keeps every byte as it is.
  const lines = whole.toString('latin1').split('\n').map(trimmedEnd);
  const refuse = (line: number, why: string) => syntaxError(origin, line + 1, why);
  const begin = lines.indexOf(BEGIN_MESSAGE);
  if (begin < 0 || lines.slice(0, begin).some((line) => line !== '')) throw refuse(0, 'text before the signed block');
  const blank = lines.indexOf('', begin);
  const signature = lines.indexOf(BEGIN_SIGNATURE, begin);
  const end = lines.indexOf(END_SIGNATURE, signature);
  if (blank < 0 || signature < blank || end < 0) throw refuse(begin, 'signed block without its signature or its end');
  const after = lines.findIndex((line, at) => at > end && line !== '');
  if (after >= 0) throw refuse(after, 'text after the signed block');
  const content = lines.slice(blank + 1, signature).map((line, at) => {
    if (line.startsWith('- ')) return line.slice(2);
    if (line.startsWith('-'))
      throw refuse(blank + 1 + at, 'line within the signed text that begins with a bare hyphen');
    return line;
  });
  return Buffer.from(content.map((line) => `${line}\n`).join(''), 'latin1');
}

function trimmedEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t' || line[end - 1] === '\r')) end--;
  return line.slice(0, end);
}
