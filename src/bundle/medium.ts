/** What lies on the media: volume folders, grouped by the bundle that their bundle.json is. Nothing is trusted yet. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import { isLinkRefusal, linkRefusal, readOrdinary } from './documents.ts';
import { parseVolumeFolder, ROOT_NAME, VOLUME_NAME } from './names.ts';
import { MAX_ROOT_BYTES, parseBundle } from './root-document.ts';
import type { Bundle, VolumeDocument } from './types.ts';
import { MAX_VOLUME_BYTES, parseVolume } from './volume-document.ts';

export interface FoundVolume {
  readonly folder: string;
  /** What volume.json says, or else the folder's name; 0 where neither does. */
  readonly volume: number;
  /** `undefined`: missing (writing was not finished) or damaged. */
  readonly document: VolumeDocument | undefined;
}

export interface FoundBundle {
  readonly bundle: Bundle;
  /** Ascending by number. */
  readonly volumes: readonly FoundVolume[];
}

export interface Media {
  /** Newest first. */
  readonly bundles: readonly FoundBundle[];
  /** Folders that look like volumes and whose bundle.json cannot be used, with the reason. */
  readonly unusable: readonly { readonly folder: string; readonly reason: string }[];
}

/** Looks at the folders themselves and one level below. A symbolic link in place of a volume is refused (`bundle.invalid`). */
export async function findVolumes(dirs: readonly string[]): Promise<Media> {
  const folders = new Set<string>();
  for (const dir of dirs) for (const folder of await candidates(dir)) folders.add(folder);
  const bundles = new Map<string, { bundle: Bundle; volumes: FoundVolume[] }>();
  const unusable: { folder: string; reason: string }[] = [];
  for (const folder of [...folders].sort()) {
    try {
      const bytes = await readOrdinary(join(folder, ROOT_NAME), MAX_ROOT_BYTES);
      if (bytes === undefined) {
        unusable.push({ folder, reason: `there is no ${ROOT_NAME} in it` });
        continue;
      }
      const bundle = parseBundle(bytes, join(folder, ROOT_NAME));
      const entry = bundles.get(bundle.sha256) ?? { bundle, volumes: [] };
      entry.volumes.push(await inspect(folder, bundle));
      bundles.set(bundle.sha256, entry);
    } catch (error) {
      if (!(error instanceof KubedosError) || isLinkRefusal(error)) throw error;
      unusable.push({ folder, reason: error.message });
    }
  }
  const found = [...bundles.values()].map(({ bundle, volumes }) => ({
    bundle,
    volumes: volumes.sort((a, b) => a.volume - b.volume),
  }));
  found.sort((a, b) => b.bundle.root.sequence - a.bundle.root.sequence || b.volumes.length - a.volumes.length);
  return { bundles: found, unusable };
}

async function candidates(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    if (entries.some(({ name }) => name === ROOT_NAME)) return [dir];
    const volumes = entries.filter(({ name }) => parseVolumeFolder(name) !== undefined);
    const link = volumes.find((entry) => entry.isSymbolicLink());
    if (link !== undefined) throw linkRefusal(join(dir, link.name));
    return volumes.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new KubedosError('usage.argument', `look for volumes in ${dir}: there is no such folder`, { cause: error });
    }
    throw storageError(`look for volumes in ${dir}`, error);
  }
}

async function inspect(folder: string, bundle: Bundle): Promise<FoundVolume> {
  await refuseLinkedFolders(folder);
  const named = parseVolumeFolder(folder.split('/').at(-1) ?? '')?.volume ?? 0;
  const file = join(folder, VOLUME_NAME);
  try {
    const bytes = await readOrdinary(file, MAX_VOLUME_BYTES);
    if (bytes !== undefined) {
      const document = parseVolume(bytes, bundle, file);
      return { folder, volume: document.volume, document };
    }
  } catch (error) {
    if (!(error instanceof KubedosError) || isLinkRefusal(error)) throw error;
  }
  return { folder, volume: named, document: undefined };
}

/** The last part of a name is opened without following links; the sub-folders are looked at here. */
async function refuseLinkedFolders(folder: string): Promise<void> {
  for (const name of ['snapshots', 'roots']) {
    const stats = await lstat(join(folder, name)).catch(() => undefined);
    if (stats?.isSymbolicLink() === true) throw linkRefusal(join(folder, name));
  }
}

/** All volume numbers of a bundle that are not among the found ones, and volumes found twice only once. */
export function missingVolumes({ bundle, volumes }: FoundBundle): number[] {
  const present = new Set(volumes.filter(({ document }) => document !== undefined).map(({ volume }) => volume));
  return bundle.root.volumes.map((_, index) => index + 1).filter((volume) => !present.has(volume));
}
