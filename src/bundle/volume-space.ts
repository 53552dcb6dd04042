/** How much room volumes still need in the target folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { documentNames } from './document-names.ts';
import { Journal } from './journal.ts';
import { parityGeometry, protectedBy } from './parity-geometry.ts';
import { finishedVolume, folderOf, packsOf, type VolumeJob } from './volume-writer.ts';

/** volume.json, SHA256SUMS and what file systems spend on each file. */
const OVERHEAD_BYTES = 64 * 1024;

/** An upper bound; what is finished already counts nothing. */
export async function remainingBytes(job: VolumeJob, volumes: readonly number[]): Promise<number> {
  const { bundle, folder } = job.prepared;
  const sizes = await Promise.all(
    documentNames(bundle.root).map(async (name) => (await stat(join(folder, name))).size),
  );
  const documents = sizes.reduce((sum, size) => sum + size, OVERHEAD_BYTES);
  let bytes = 0;
  for (const volume of volumes) {
    const place = folderOf(job, volume);
    if ((await finishedVolume(place, bundle)) !== undefined) continue;
    bytes += documents;
    const journal = await Journal.open(place);
    for (const pack of packsOf(bundle, volume)) if (!(await journal.holds(pack))) bytes += pack.sizeBytes;
    for (const pack of packsOf(bundle, protectedBy(volume, bundle.root.volumes.length))) {
      bytes += parityGeometry(pack.sizeBytes, bundle.root.parityPercent).boundBytes;
    }
  }
  return bytes;
}
