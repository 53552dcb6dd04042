/** A block of bzip2 once its symbols are decoded. */

/** Undoes the Burrows-Wheeler transform: the low byte of a link is the byte, the rest leads to the next. */
export function* unsort(
  links: Uint32Array,
  counts: Uint32Array,
  { start, length }: { readonly start: number; readonly length: number },
): Generator<number> {
  const places = new Uint32Array(256);
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    places[byte] = sum;
    sum += counts[byte] as number;
  }
  for (let i = 0; i < length; i++) {
    const byte = (links[i] as number) & 0xff;
    const place = places[byte] as number;
    places[byte] = place + 1;
    links[place] = ((links[place] as number) | (i << 8)) >>> 0;
  }
  let at = (links[start] as number) >>> 8;
  for (let i = 0; i < length; i++) {
    const link = links[at] as number;
    yield link & 0xff;
    at = link >>> 8;
  }
}

const PIECE_BYTES = 128 * 1024;

/** Four equal bytes are followed by how many more there are. */
export function* unrun(bytes: Iterable<number>): Generator<Buffer> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let filled = 0;
  let last = -1;
  let equal = 0;
  for (const byte of bytes) {
    const repeats = equal === 4 ? byte : 1;
    const value = equal === 4 ? last : byte;
    if (equal === 4) equal = 0;
    else equal = byte === last ? equal + 1 : 1;
    if (equal !== 0) last = byte;
    else last = -1;
    if (filled + repeats > PIECE_BYTES) {
      yield piece.subarray(0, filled);
      piece = Buffer.allocUnsafe(PIECE_BYTES);
      filled = 0;
    }
    piece.fill(value, filled, filled + repeats);
    filled += repeats;
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc >>> 0;
});

/** CRC-32 with the polynomial 0x04C11DB7, highest bit first. */
export function crcOf(bytes: Buffer, before: number): number {
  let crc = before;
  for (let i = 0; i < bytes.length; i++)
    crc = ((crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[i] as number)) & 0xff] as number)) >>> 0;
  return crc;
}
