import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { canonicalJson } from './canonical-json.ts';
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
  if (!snapshotBytes(document).equals(bytes)) {
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
