/** The .rpm file: lead, signatures, header, payload (docs/manual/format_v4.md and format_v6.md of rpm). */
import { createHash, type Hash, hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { ByteReader } from '../byte-reader.ts';
import type { ByteSource } from '../byte-source.ts';
import { MAIN_HEADER, type RpmHeader, readHeader, SIGNATURE_HEADER } from './header.ts';
import type { Nevra } from './package.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';

const LEAD_BYTES = 96;
const LEAD_MAGIC = 0xedabeedb;
/** The header begins at a multiple. */
const ALIGNMENT = 8;

export interface RpmSignature {
  /** `header`: over RpmFile.header.bytes. `whole`: over those and the payload behind them. */
  readonly over: 'header' | 'whole';
  /** Binary OpenPGP packets. */
  readonly packets: Buffer;
}

export interface RpmFile {
  readonly nevra: Nevra;
  readonly header: RpmHeader;
  readonly signature: RpmHeader;
  /** Offset of the header's first byte in the file, and of the first byte behind it. */
  readonly headerRange: readonly [number, number];
  readonly signatures: readonly RpmSignature[];
  /** True where the header itself names a digest of the payload: who signs it signs both. */
  readonly coversPayload: boolean;
}

/**
 * Reads up to the payload, and holds the header against its own digests. `format.syntax` for what is no package or is
 * damaged, `format.limit` for a header beyond what rpm takes.
 */
export async function readRpmHeader(source: ByteSource, origin: string): Promise<RpmFile> {
  const reader = new ByteReader(source, origin);
  try {
    return await readStart(reader, origin);
  } finally {
    await reader.close();
  }
}

/** Reads to the end, and holds the payload against the digests that the headers name; it is never held in memory. */
export async function readRpm(source: ByteSource, origin: string): Promise<RpmFile> {
  const reader = new ByteReader(source, origin);
  try {
    const file = await readStart(reader, origin);
    const checks = payloadChecks(file);
    let bytes = 0;
    for await (const piece of reader.rest()) {
      bytes += piece.length;
      for (const { running } of checks) running.update(piece);
    }
    const expected = sizeOf(file);
    if (expected !== undefined && file.header.bytes.length + bytes !== expected)
      throw refusal(origin, `header and payload have ${file.header.bytes.length + bytes} bytes, expected ${expected}`);
    for (const { running, name, hex } of checks)
      if (running.digest('hex') !== hex) throw refusal(origin, `its ${name} is not what its header says`);
    return file;
  } finally {
    await reader.close();
  }
}

async function readStart(reader: ByteReader, origin: string): Promise<RpmFile> {
  const lead = await reader.read(LEAD_BYTES);
  const major = lead[4] ?? 0;
  if (lead.readUInt32BE(0) !== LEAD_MAGIC || major < 3 || major > 4) throw refusal(origin, 'it is no rpm');
  const signature = await readHeader(reader, SIGNATURE_HEADER, `${origin}: signatures`);
  await reader.skip((ALIGNMENT - (reader.position % ALIGNMENT)) % ALIGNMENT);
  const start = reader.position;
  const header = await readHeader(reader, MAIN_HEADER, origin);
  checkHeaderDigests(signature, header, origin);
  return {
    nevra: nevraOf(header, origin),
    header,
    signature,
    headerRange: [start, reader.position],
    signatures: signaturesOf(signature),
    coversPayload: PAYLOAD_DIGESTS.some((tag) => header.has(tag)),
  };
}

const PAYLOAD_DIGESTS = [TAG.payloadDigest, TAG.payloadSha512, TAG.payloadSha3];

function nevraOf(header: RpmHeader, origin: string): Nevra {
  const need = (tag: number, what: string): string => {
    const value = header.text(tag);
    if (value) return value;
    throw refusal(origin, `its header has no ${what}`);
  };
  return {
    name: need(TAG.name, 'name'),
    epoch: String(header.number(TAG.epoch) ?? 0),
    version: need(TAG.version, 'version'),
    release: need(TAG.release, 'release'),
    // A source package says for what it was built.
    arch: isSource(header) ? 'src' : need(TAG.arch, 'architecture'),
  };
}

/** Old source packages are not marked as such: of those alone the files lie in no folder. */
function isSource(header: RpmHeader): boolean {
  if (header.has(TAG.sourcePackage)) return true;
  if (header.has(TAG.sourceRpm)) return false;
  const [folder, ...others] = header.strings(TAG.dirNames);
  if (folder !== undefined) return folder.length === 0 && others.length === 0;
  const [path] = header.strings(TAG.oldFileNames);
  return path !== undefined && path[0] !== SLASH;
}
const SLASH = 47;

function signaturesOf(signature: RpmHeader): RpmSignature[] {
  const found: RpmSignature[] = [];
  for (const text of signature.strings(SIGNATURE_TAG.openPgp))
    found.push({ over: 'header', packets: Buffer.from(text.toString('latin1'), 'base64') });
  for (const tag of [SIGNATURE_TAG.rsaHeader, SIGNATURE_TAG.dsaHeader]) {
    const packets = signature.binary(tag);
    if (packets) found.push({ over: 'header', packets });
  }
  for (const tag of [SIGNATURE_TAG.pgp, SIGNATURE_TAG.gpg]) {
    const packets = signature.binary(tag);
    if (packets) found.push({ over: 'whole', packets });
  }
  return found;
}

function checkHeaderDigests(signature: RpmHeader, header: RpmHeader, origin: string): void {
  const digests = [
    [SIGNATURE_TAG.sha1Header, 'sha1'],
    [SIGNATURE_TAG.sha256Header, 'sha256'],
    [SIGNATURE_TAG.sha3Header, 'sha3-256'],
  ] as const;
  for (const [tag, algorithm] of digests) {
    const expected = signature.text(tag);
    if (expected !== undefined && hash(algorithm, header.bytes, 'hex') !== expected.toLowerCase())
      throw refusal(origin, `the ${algorithm} of its header is not what its signatures say`);
  }
}

interface PayloadCheck {
  readonly name: string;
  readonly running: Hash;
  readonly hex: string;
}

/** RFC 9580 §9.5, as far as rpm uses them. */
const HASHES: Readonly<Record<number, string>> = {
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  12: 'sha3-256',
  14: 'sha3-512',
};

function payloadChecks({ header, signature }: RpmFile): PayloadCheck[] {
  const checks: PayloadCheck[] = [];
  const add = (tag: number, algorithm: string | undefined) => {
    const hex = header.text(tag)?.toLowerCase();
    if (hex !== undefined && algorithm !== undefined)
      checks.push({ name: `${algorithm} of the payload`, running: createHash(algorithm), hex });
  };
  add(TAG.payloadDigest, HASHES[header.number(TAG.payloadDigestAlgorithm) ?? 8]);
  add(TAG.payloadSha512, 'sha512');
  add(TAG.payloadSha3, 'sha3-256');
  const md5 = signature.binary(SIGNATURE_TAG.md5);
  if (md5) checks.push({ name: 'md5', running: createHash('md5').update(header.bytes), hex: md5.toString('hex') });
  return checks;
}

/** Of header and payload, as the signatures tell it. */
function sizeOf({ signature }: RpmFile): number | undefined {
  return signature.number(SIGNATURE_TAG.longSize) ?? signature.number(SIGNATURE_TAG.size);
}

function refusal(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `read package ${origin}: ${why}`);
}
