/**
 * Deterministic ustar (POSIX.1-1988): each header follows from name, size and time alone. A reader need not parse: it
 * makes the header that must be there and compares, which refuses links, other names and other sizes in one stroke.
 */
export const BLOCK_BYTES = 512;
/** Two blocks of zeros end an archive. */
export const TRAILER_BYTES = 2 * BLOCK_BYTES;

/** Bytes of a member with its header and padding. */
export function memberBytes(sizeBytes: number): number {
  return BLOCK_BYTES + paddedBytes(sizeBytes);
}

export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

export interface HeaderFields {
  /** ASCII, at most 100 characters. */
  readonly name: string;
  /** Below 8 GiB. */
  readonly sizeBytes: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** Writes the header into `target` at `offset`. Owner 0:0 without names, mode 0444, an ordinary file. */
export function writeHeader(target: Buffer, offset: number, fields: HeaderFields): void {
  const header = target.subarray(offset, offset + BLOCK_BYTES);
  header.fill(0);
  header.write(fields.name, 0, 100, 'latin1');
  header.write(octal(0o444, 7), 100, 'latin1');
  header.write(octal(0, 7), 108, 'latin1');
  header.write(octal(0, 7), 116, 'latin1');
  header.write(octal(fields.sizeBytes, 11), 124, 'latin1');
  header.write(octal(fields.mtime, 11), 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(octal(0, 7), 329, 'latin1');
  header.write(octal(0, 7), 337, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** Sum of the header's bytes; the checksum field itself must hold spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) sum += header[i] ?? 0;
  return sum;
}

/**
 * What a block that is not the expected header is: another member made on purpose (its checksum holds), or damage
 * (`undefined`).
 */
export function describeHeader(block: Buffer): string | undefined {
  if (block.length < BLOCK_BYTES) return undefined;
  const copy = Buffer.from(block.subarray(0, BLOCK_BYTES));
  const stated = Number.parseInt(copy.toString('latin1', 148, 154), 8);
  copy.fill(0x20, 148, 156);
  if (stated !== checksum(copy)) return undefined;
  const text = (start: number, length: number): string =>
    (copy.toString('latin1', start, start + length).split('\0')[0] ?? '').replace(/[^ -~]/g, '?');
  const prefix = text(345, 155);
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  const type = text(156, 1);
  const kind = { '': 'file', '0': 'file', '1': 'hard link', '2': 'symbolic link', '5': 'folder' }[type];
  const link = type === '1' || type === '2' ? ` to ${text(157, 100)}` : '';
  return `${kind ?? `member of type ${type}`} ${name}${link} of ${Number.parseInt(text(124, 12), 8)} bytes`;
}
