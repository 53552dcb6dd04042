/** `volume.json` and `SHA256SUMS`: what a volume holds beside the signed documents. */
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { SHA256 } from '../store/names.ts';
import { documentNames } from './document-names.ts';
import { isParityOf, protectedBy } from './parity-geometry.ts';
import { parseCanonical } from './root-document.ts';
import {
  type Bundle,
  MAX_FILE_BYTES,
  MAX_PACKS,
  VOLUME_FORMAT,
  type VolumeDocument,
  type VolumeFile,
} from './types.ts';

/** Room for ten thousand packs with their parity. */
export const MAX_VOLUME_BYTES = 16 * 1024 * 1024;

const file: z.ZodType<VolumeFile> = z.strictObject({
  name: z.string(),
  sizeBytes: z.int().min(0).max(MAX_FILE_BYTES),
  sha256: z.string().regex(SHA256),
});

const schema: z.ZodType<VolumeDocument> = z.strictObject({
  format: z.literal(VOLUME_FORMAT),
  bundle: z.string().regex(SHA256),
  volume: z.int().min(1).max(MAX_PACKS),
  of: z.int().min(1).max(MAX_PACKS),
  documents: z.array(file).max(50_000),
  packs: z.array(file).max(MAX_PACKS),
  parity: z.array(file).max(2 * MAX_PACKS),
});

export function volumeBytes(document: VolumeDocument): Buffer {
  return Buffer.from(`${canonicalJson(document)}\n`);
}

/** Holds the document against the signed root: packs and sizes must be those of that volume. */
export function parseVolume(bytes: Uint8Array, bundle: Bundle, origin: string): VolumeDocument {
  const document = parseCanonical(bytes, schema, origin);
  const refuse = (why: string): never => {
    throw new KubedosError('bundle.invalid', `read ${origin}: ${why}`);
  };
  const planned = bundle.root.volumes[document.volume - 1];
  if (document.bundle !== bundle.sha256) refuse(`it belongs to bundle ${document.bundle}, not ${bundle.sha256}`);
  if (document.of !== bundle.root.volumes.length || planned === undefined) {
    return refuse(`it is volume ${document.volume} of ${document.of}, the bundle has ${bundle.root.volumes.length}`);
  }
  const same = planned.packs.every(
    ({ name, sizeBytes }, index) =>
      document.packs[index]?.name === name && document.packs[index]?.sizeBytes === sizeBytes,
  );
  if (!same || document.packs.length !== planned.packs.length) refuse('its packs are not those of the signed root');
  const neighbour = bundle.root.volumes[protectedBy(document.volume, document.of) - 1]?.packs ?? [];
  for (const { name } of document.parity) {
    if (!neighbour.some((pack) => isParityOf(name, pack.name)))
      refuse(`${JSON.stringify(name)} is no parity of its neighbour`);
  }
  const names = documentNames(bundle.root);
  if (document.documents.map(({ name }) => name).join('\n') !== names.join('\n')) {
    refuse('its documents are not those that the signed root implies');
  }
  return document;
}

/** The root that a volume.json speaks of, whether or not it is the one that lies beside it. */
export function claimedBundle(bytes: Uint8Array): string | undefined {
  try {
    return parseCanonical(bytes, schema, VOLUME_FORMAT).bundle;
  } catch {
    return undefined;
  }
}

/** What `sha256sum -c` reads, sorted by name. */
export function sumsText(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  return [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sha256 }) => `${sha256}  ${name}\n`)
    .join('');
}
