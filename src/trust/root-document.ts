/** The root document, reader and writer together: who may sign for a store, and who says so. docs/formats.md. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { isFingerprint } from './fingerprint.ts';

export const ROOT_FORMAT = 'kubedos-root/1';
/** A handful of RSA-4096 keys in armour takes 20 KB. */
const MAX_ROOT_BYTES = 1024 * 1024;

const fingerprint = z.string().refine(isFingerprint, 'expected 40 or 64 upper-case hexadecimal digits');
const keySchema = z.strictObject({ fingerprint, publicKey: z.string() });
/** Members in the order of canonical JSON, which is the order that they are written in. */
const rootSchema = z.strictObject({
  format: z.literal(ROOT_FORMAT),
  revoked: z.array(fingerprint),
  rootKey: keySchema,
  signingKeys: z.array(keySchema).min(1),
  store: z.string().min(1),
  time: z.iso.datetime({ precision: 0 }),
  version: z.int().min(1),
});

export type RootDocument = Readonly<z.output<typeof rootSchema>>;
/** A public key as roots carry it: armoured, with the fingerprint of its primary key. */
export type RootKey = Readonly<z.output<typeof keySchema>>;

/** A root with what makes it believed. */
export interface SignedRoot {
  readonly version: number;
  readonly bytes: Buffer;
  /** Detached, armoured: by the root key of the version before, and by its own where that is another. */
  readonly signature: string;
  readonly sha256: string;
}

export function signedRoot(version: number, bytes: Buffer, signature: string): SignedRoot {
  return { version, bytes, signature, sha256: hash('sha256', bytes, 'hex') };
}

/** Canonical JSON (sorted members, no spaces) and a newline. */
export function writeRoot(document: RootDocument): Buffer {
  return Buffer.from(`${JSON.stringify(rootSchema.parse(document))}\n`);
}

/** Refuses what is not exactly as `writeRoot` would write it, so that nobody can read another meaning into it. */
export function parseRoot(bytes: Uint8Array, origin: string): RootDocument {
  const refuse = (why: string, cause?: unknown): KubedosError =>
    new KubedosError('format.syntax', `read ${origin}: not a root document: ${why}`, { cause });
  if (bytes.length > MAX_ROOT_BYTES) throw refuse(`it is larger than ${MAX_ROOT_BYTES} bytes`);
  let document: RootDocument;
  try {
    document = rootSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw refuse(cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON', cause);
  }
  if (!writeRoot(document).equals(bytes)) throw refuse('it is not in canonical form');
  return document;
}
