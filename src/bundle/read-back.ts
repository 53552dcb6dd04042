import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import { readBack } from '../store/direct-read.ts';
import { closeVolume, folderOf, type VolumeJob } from './volume-writer.ts';

/** Holds packs and parity of a finished volume against volume.json as the medium gives them; true if past the page cache. */
export async function readBackVolume(job: VolumeJob, volume: number, run: Run): Promise<boolean> {
  const folder = folderOf(job, volume);
  const document = await closeVolume(job, volume);
  const bad: string[] = [];
  let direct = true;
  for (const file of [...document.packs, ...document.parity]) {
    const got = await readBack(join(folder, file.name), { signal: run.signal });
    direct &&= got.direct;
    if (got.sha256 !== file.sha256 || got.sizeBytes !== file.sizeBytes) bad.push(file.name);
  }
  if (bad.length === 0) return direct;
  throw new KubedosError(
    'bundle.damaged',
    `read back ${folder}: ${bad.join(', ')} came back with other bytes than were written`,
    {
      hint: 'the medium is bad: remove the volume from it and write it to another with `kubedos bundle reburn`',
      details: { folder, files: bad },
    },
  );
}
