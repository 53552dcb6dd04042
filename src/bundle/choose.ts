/** Which of the bundles on the media is meant, and what the other folders are. */
import { KubedosError } from '../errors.ts';
import type { FoundBundle, Media } from './medium.ts';
import { parseVolumeFolder } from './names.ts';

export interface Chosen {
  readonly found: FoundBundle;
  /** Folders that by their name are volumes of this bundle, and whose bundle.json is not its root. */
  readonly rootless: readonly { readonly folder: string; readonly volume: number; readonly reason: string }[];
  /** Folders of other bundles: named and ignored. */
  readonly foreign: readonly string[];
}

/** The bundle of that id, or the newest that is vouched for by a volume.json of its own. `bundle.incomplete` where there is none. */
export function chooseBundle(media: Media, id?: string): Chosen {
  const ranked = [...media.bundles].sort((a, b) => Number(hasVolume(b)) - Number(hasVolume(a)));
  const found = id === undefined ? ranked[0] : media.bundles.find(({ bundle }) => bundle.id === id);
  if (found === undefined) {
    const seen = [
      ...media.bundles.map(({ bundle }) => `bundle ${bundle.id}`),
      ...media.unusable.map(({ folder, reason }) => `${folder} (${reason})`),
    ];
    throw new KubedosError(
      media.unusable.length > 0 && media.bundles.length === 0 ? 'bundle.damaged' : 'bundle.incomplete',
      `look for ${id === undefined ? 'a bundle' : `bundle ${id}`}: found ${seen.join(', ') || 'no volume folder'}`,
      { hint: 'give the folder that holds the folders of the volumes, or each of them' },
    );
  }
  const rootless: { folder: string; volume: number; reason: string }[] = [];
  const foreign: string[] = [];
  const place = (folder: string, reason: string): void => {
    const named = parseVolumeFolder(folder.split('/').at(-1) ?? '');
    if (named?.id === found.bundle.id) rootless.push({ folder, volume: named.volume, reason });
    else foreign.push(folder);
  };
  for (const { bundle, volumes } of media.bundles.filter((one) => one !== found)) {
    for (const { folder, document } of volumes) {
      // Its volume.json agrees with its root: a volume of another bundle, whatever its folder is called.
      if (document !== undefined) foreign.push(folder);
      else place(folder, `its bundle.json is that of ${bundle.id}`);
    }
  }
  for (const { folder, reason } of media.unusable) place(folder, reason);
  return { found, rootless, foreign: foreign.sort() };
}

function hasVolume({ volumes }: FoundBundle): boolean {
  return volumes.some(({ document }) => document !== undefined);
}
