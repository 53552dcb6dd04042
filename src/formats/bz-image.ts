/** The bzImage of x86 (Linux, Documentation/arch/x86/boot.rst): a header, and the kernel itself, compressed. */
import { KubedosError } from '../errors.ts';
import { type Compression, decompress } from './compression.ts';

/** Offsets of the header, little-endian. */
const SETUP_SECTORS_AT = 0x1f1;
const MAGIC_AT = 0x202;
const VERSION_AT = 0x206;
const PAYLOAD_OFFSET_AT = 0x248;
const PAYLOAD_LENGTH_AT = 0x24c;
const HEADER_BYTES = 0x250;
/** The first protocol that tells where the payload lies: 2.08, of Linux 2.6.26. */
const LEAST_VERSION = 0x0208;
const SECTOR_BYTES = 512;
/** What a header of none means. */
const DEFAULT_SETUP_SECTORS = 4;
/** Its size when it is unpacked stands at the end of the payload. */
const SIZE_BYTES = 4;
const MAX_KERNEL_BYTES = 512 * 1024 ** 2;

/** How payloads begin. */
const MAGICS: readonly (readonly [Compression, string])[] = [
  ['gz', '1f8b08'],
  ['xz', 'fd377a585a00'],
  ['zst', '28b52ffd'],
  ['bz2', '425a68'],
];
const ELF = '7f454c46';

/** The kernel as an ELF file, `vmlinux`: what virtual machines start that have no firmware. `format.syntax` where there is none. */
export async function unpackKernel(image: Buffer, origin: string): Promise<Buffer> {
  const refuse = (why: string): KubedosError => new KubedosError('format.syntax', `unpack ${origin}: ${why}`);
  const payload = payloadOf(image, refuse);
  const starts = (magic: string): boolean => payload.toString('hex', 0, magic.length / 2) === magic;
  const compression = MAGICS.find(([, magic]) => starts(magic))?.[0];
  if (compression === undefined)
    throw refuse(`it begins with ${payload.toString('hex', 0, 6)}: expected gzip, xz, zstd or bzip2`);
  const sizeBytes = payload.readUInt32LE(payload.length - SIZE_BYTES);
  // gzip ends with the size of its own accord.
  const packed = compression === 'gz' ? payload : payload.subarray(0, -SIZE_BYTES);
  const chunks: Buffer[] = [];
  for await (const chunk of decompress([packed], compression, { origin, maxBytes: MAX_KERNEL_BYTES }))
    chunks.push(chunk);
  const kernel = Buffer.concat(chunks);
  if (kernel.length !== sizeBytes) throw refuse(`it has ${kernel.length} bytes, expected ${sizeBytes}`);
  if (kernel.toString('hex', 0, ELF.length / 2) !== ELF) throw refuse('what is in it is no ELF file');
  return kernel;
}

function payloadOf(image: Buffer, refuse: (why: string) => KubedosError): Buffer {
  if (image.length < HEADER_BYTES || image.toString('latin1', MAGIC_AT, MAGIC_AT + 4) !== 'HdrS')
    throw refuse('it is no bzImage');
  const version = image.readUInt16LE(VERSION_AT);
  if (version < LEAST_VERSION) throw refuse(`boot protocol ${version.toString(16)} is older than 2.08`);
  const setup = image.readUInt8(SETUP_SECTORS_AT) || DEFAULT_SETUP_SECTORS;
  const start = (setup + 1) * SECTOR_BYTES + image.readUInt32LE(PAYLOAD_OFFSET_AT);
  const end = start + image.readUInt32LE(PAYLOAD_LENGTH_AT);
  if (end > image.length || end - start <= SIZE_BYTES) throw refuse('it is cut off');
  return image.subarray(start, end);
}
