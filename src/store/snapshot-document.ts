import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { canonicalJson, isCanonicalJson } from './canonical-json.ts';
import { checkDocument, parseDocument } from './documents.ts';
import { isoSeconds, snapshotSchema } from './schemas.ts';
import type { MirrorHead, SnapshotDocument, SnapshotMirror } from './types.ts';

/** The signed bytes: canonical JSON and a newline. */
export function snapshotBytes(document: SnapshotDocument): Buffer {
  return Buffer.from(`${canonicalJson(document)}\n`);
}

/** `<sequence>-<first 16 hex digits of the SHA-256 of the bytes>` */
export function snapshotId(sequence: number, bytes: Uint8Array): string {
  return `${sequence}-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

/** The first part of an id that `snapshotId` made. */
export function sequenceOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

/** Checks form and schema; members that a later kubedos added are kept. */
export function parseSnapshot(bytes: Uint8Array, what: string): SnapshotDocument {
  const value = parseDocument(bytes, what);
  const document = checkDocument(value, snapshotSchema, what);
  // One text for one document: else two ids could stand for the same content.
  if (!isCanonicalJson(bytes, document)) {
    throw new KubedosError('store.corrupt', `read ${what}: it is not canonical JSON with a newline at the end`);
  }
  return document;
}

/** The document that takes these heads as they are. */
export function nextSnapshot(
  heads: readonly MirrorHead[],
  place: Pick<SnapshotDocument, 'store' | 'sequence' | 'parent' | 'note'> & { readonly now: Date },
): SnapshotDocument {
  const { now, ...rest } = place;
  const mirrors = heads
    .map(({ name, kind, form, manifest, evidence }): SnapshotMirror => ({ name, kind, form, manifest, evidence }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { format: 'kubedos-snapshot/1', ...rest, time: isoSeconds(now), mirrors };
}

export function sameMirrors(a: SnapshotDocument, b: SnapshotDocument): boolean {
  return canonicalJson(a.mirrors) === canonicalJson(b.mirrors);
}

/** What stands beside a snapshot, in the form of sha256sum(1): the document, then its signature. */
export function checksums(id: string, bytes: Uint8Array, signature: string): string {
  const sum = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');
  return `${sum(bytes)}  ${id}.json\n${sum(signature)}  ${id}.json.asc\n`;
}

/**
 * The ending of the damaged file: the document is known by its id, so it is the signature or the sums. Another signature
 * has another sum altogether, and all else stands as it must; a damaged sum differs in a digit or two.
 */
export function misfit(sums: string, right: string): '.json.asc' | '.sha256' {
  const start = right.indexOf('\n') + 1;
  const end = start + 64;
  const around = (text: string): string => text.slice(0, start) + text.slice(end);
  const differ = [...right.slice(start, end)].filter((digit, index) => digit !== sums[start + index]).length;
  return around(sums) === around(right) && differ > 32 ? '.json.asc' : '.sha256';
}
