/** Images of the Debian installer: files that a SHA256SUMS lists, which the Release lists in turn. */

import { KubedosError } from '../../errors.ts';
import { canonicalPath } from '../../formats/path.ts';
import type { ManifestEntry, ObjectStore } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import type { ObjectSource } from '../object-source.ts';
import { eachParallel } from '../parallel.ts';
import { note, type Session } from '../session.ts';
import { folderOf } from './archive-layout.ts';
import type { PresentIndex } from './index-fetch.ts';
import type { AptKind } from './suite-state.ts';

/** SHA256SUMS gives no sizes. The largest image is a mini.iso of 70 MB. */
const MAX_IMAGE_BYTES = 2 * 1024 ** 3;
const MAX_SUMS_BYTES = 16 * 1024 * 1024;
const PARALLEL_IMAGES = 8;

export interface ListedImage {
  readonly path: string;
  readonly sha256: string;
}

/** `<sha256>  ./netboot/mini.iso`; paths from the root of the archive. */
export function parseSums(text: string, sumsPath: string): ListedImage[] {
  const folder = folderOf(sumsPath);
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return [];
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (!match) throw new KubedosError('format.syntax', `${sumsPath}:${at + 1}: expected a checksum and a path`);
    const [, sha256 = '', name = ''] = match;
    return [{ path: `${folder}${canonicalPath(name, `${sumsPath}:${at + 1}`)}`, sha256 }];
  });
}

/**
 * Fetches the images (their sizes are known only then) and gives their entries. One that upstream lacks is left out with
 * a note: the lists name files of flavours that mirrors do not carry.
 */
export async function bringImages(
  session: Session<AptKind>,
  indexes: readonly PresentIndex[],
  space: { readonly objects: ObjectStore; readonly source: ObjectSource },
): Promise<ManifestEntry[]> {
  const wanted: (ListedImage & { readonly urls: readonly string[] })[] = [];
  for (const { kind, forms, urls } of indexes) {
    if (kind !== 'installer') continue;
    for (const form of forms) {
      const bytes = await space.objects.read(form.sha256, MAX_SUMS_BYTES);
      if (bytes) wanted.push(...parseSums(bytes.toString('utf8'), form.path).map((image) => ({ ...image, urls })));
    }
  }
  const entries: ManifestEntry[] = [];
  if (wanted.length === 0) return entries;
  const meter = new Meter(session.run.onEvent, 'installer images', { files: wanted.length });
  await eachParallel(wanted, { limit: PARALLEL_IMAGES, signal: session.run.signal }, async (image, signal) => {
    const wish = { ...image, sizeBytes: MAX_IMAGE_BYTES, sizeIsLimit: true };
    try {
      const { sha256, sizeBytes } = await space.source.bring(wish, { signal, onBytes: meter.onBytes });
      entries.push({ path: image.path, sha256, sizeBytes });
    } catch (error) {
      if (!(error instanceof KubedosError) || error.code !== 'net.not-found') throw error;
      note(session, 'info', `${session.spec.name}: upstream does not serve ${image.path}; left out`);
    }
    meter.file();
  });
  return entries;
}
