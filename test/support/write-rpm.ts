/** Writes .rpm files by hand, sound ones and others: the structures of docs/manual/format_v4.md of rpm. */
import { hash } from 'node:crypto';
import { SIGNATURE_TAG, TAG } from '../../src/formats/rpm/tags.ts';
import type { FakeKey } from './fake-key.ts';
import type { FakeRpm } from './fake-yum.ts';

/** `int32` of numbers, `strings` of texts, and so on. */
export type TagValue =
  | { readonly int16: readonly number[] }
  | { readonly int32: readonly number[] }
  | { readonly int64: readonly bigint[] }
  | { readonly text: string | Uint8Array }
  | { readonly strings: readonly (string | Uint8Array)[] }
  | { readonly i18n: readonly (string | Uint8Array)[] }
  | { readonly binary: Uint8Array };

export type Tags = ReadonlyMap<number, TagValue>;

export interface RpmOptions {
  readonly tags?: Tags;
  readonly payload?: Uint8Array;
  /** Who signs the header; nobody by default. */
  readonly key?: FakeKey | undefined;
  /** `whole`: header and payload, as before rpm 4. `v6`: base64 in a list. Default `header`. */
  readonly signs?: 'header' | 'whole' | 'v6';
  /** False: the header names no digest of the payload. */
  readonly payloadDigest?: boolean;
  readonly region?: boolean;
  /** False: the header does not name the source package, as that of one does not. */
  readonly sourceRpm?: boolean;
  readonly signedAt?: Date;
}

/** A small package, and its description for fakeYum. */
export async function writeRpm(nevra: Omit<FakeRpm, 'bytes'>, options: RpmOptions = {}): Promise<FakeRpm> {
  const { payload = Buffer.from(`payload of ${nevra.name}\n`), key, signs = 'header' } = options;
  const tags = new Map<number, TagValue>([
    [TAG.name, { text: nevra.name }],
    [TAG.version, { text: nevra.version }],
    [TAG.release, { text: nevra.release ?? '1' }],
    ...(nevra.epoch === undefined ? [] : [[TAG.epoch, { int32: [Number(nevra.epoch)] }] as const]),
    [TAG.summary, { i18n: [`The package ${nevra.name}`] }],
    [TAG.arch, { text: nevra.arch ?? 'noarch' }],
    ...(options.sourceRpm === false ? [] : ([[TAG.sourceRpm, { text: `${nevra.name}.src.rpm` }]] as const)),
    ...(options.payloadDigest === false
      ? []
      : ([
          [TAG.payloadDigest, { strings: [hash('sha256', payload, 'hex')] }],
          [TAG.payloadDigestAlgorithm, { int32: [8] }],
        ] as const)),
    ...(options.tags ?? []),
  ]);
  const header = headerBytes(tags, options.region === false ? undefined : TAG.headerImmutable);
  const whole = Buffer.concat([header, payload]);
  const sign = async (bytes: Uint8Array): Promise<Buffer> =>
    dearmored(await (key as FakeKey).detached(bytes, options.signedAt));
  const signature = new Map<number, TagValue>([
    [SIGNATURE_TAG.sha1Header, { text: hash('sha1', header, 'hex') }],
    [SIGNATURE_TAG.sha256Header, { text: hash('sha256', header, 'hex') }],
    [SIGNATURE_TAG.size, { int32: [whole.length] }],
    [SIGNATURE_TAG.md5, { binary: Buffer.from(hash('md5', whole, 'hex'), 'hex') }],
  ]);
  if (key !== undefined && signs === 'header') signature.set(SIGNATURE_TAG.rsaHeader, { binary: await sign(header) });
  if (key !== undefined && signs === 'whole') signature.set(SIGNATURE_TAG.pgp, { binary: await sign(whole) });
  if (key !== undefined && signs === 'v6')
    signature.set(SIGNATURE_TAG.openPgp, { strings: [(await sign(header)).toString('base64')] });
  return { ...nevra, bytes: rpmFile(headerBytes(signature, TAG.headerSignatures), header, payload) };
}

export function rpmFile(signature: Buffer, header: Buffer, payload: Uint8Array): Buffer {
  const lead = Buffer.alloc(96);
  lead.writeUInt32BE(0xedabeedb, 0);
  lead[4] = 3;
  // Of the operating system, and of the signature: a header.
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  const padding = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([lead, signature, padding, header, payload]);
}

/** `region`: the tag of the region that takes in all entries. */
export function headerBytes(tags: Tags, region?: number): Buffer {
  const sorted = [...tags].sort(([a], [b]) => a - b);
  const entries: Buffer[] = [];
  const data: Buffer[] = [];
  let length = 0;
  const push = (bytes: Buffer) => {
    data.push(bytes);
    length += bytes.length;
  };
  for (const [tag, value] of sorted) {
    const { type, count, bytes, align } = encoded(value);
    push(Buffer.alloc((align - (length % align)) % align));
    entries.push(entry(tag, type, length, count));
    push(bytes);
  }
  if (region !== undefined) {
    entries.unshift(entry(region, 7, length, 16));
    push(entry(region, 7, -16 * entries.length, 16));
  }
  const intro = Buffer.from('8eade801000000000000000000000000', 'hex');
  intro.writeUInt32BE(entries.length, 8);
  intro.writeUInt32BE(length, 12);
  return Buffer.concat([intro, ...entries, ...data]);
}

function entry(tag: number, type: number, offset: number, count: number): Buffer {
  const bytes = Buffer.alloc(16);
  for (const [at, value] of [tag, type, offset, count].entries()) bytes.writeInt32BE(value, 4 * at);
  return bytes;
}

function encoded(value: TagValue): { type: number; count: number; bytes: Buffer; align: number } {
  if ('int16' in value) return numbers(3, 2, value.int16, (bytes, each, at) => bytes.writeUInt16BE(each, at));
  if ('int32' in value) return numbers(4, 4, value.int32, (bytes, each, at) => bytes.writeUInt32BE(each, at));
  if ('int64' in value) return numbers(5, 8, value.int64, (bytes, each, at) => bytes.writeBigUInt64BE(each, at));
  if ('binary' in value) return { type: 7, count: value.binary.length, bytes: Buffer.from(value.binary), align: 1 };
  if ('text' in value) return texts(6, [value.text]);
  return 'strings' in value ? texts(8, value.strings) : texts(9, value.i18n);
}

function numbers<T>(
  type: number,
  width: number,
  list: readonly T[],
  write: (bytes: Buffer, each: T, at: number) => void,
): { type: number; count: number; bytes: Buffer; align: number } {
  const bytes = Buffer.alloc(width * list.length);
  for (const [i, each] of list.entries()) write(bytes, each, i * width);
  return { type, count: list.length, bytes, align: width };
}

function texts(type: number, list: readonly (string | Uint8Array)[]) {
  const bytes = Buffer.concat(list.flatMap((each) => [Buffer.from(each as Uint8Array), Buffer.alloc(1)]));
  return { type, count: list.length, bytes, align: 1 };
}

/** The packets within an armour. */
function dearmored(armoured: string): Buffer {
  const body = armoured.split(/\r?\n\r?\n/)[1]?.split(/\r?\n[=-]/)[0] ?? '';
  return Buffer.from(body, 'base64');
}
