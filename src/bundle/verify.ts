/** Is a bundle, or the part of it that is at hand, what its sender signed? Reads everything, changes nothing. */
import { join } from 'node:path';
import type { Run } from '../progress.ts';
import { type Chosen, chooseBundle } from './choose.ts';
import { ContentsFile } from './contents-file.ts';
import { damageError, type FileDamage } from './damage.ts';
import { findVolumes, missingVolumes } from './medium.ts';
import { CONTENTS_NAME, ROOT_NAME } from './names.ts';
import { type FollowRoots, verifySender } from './sender-trust.ts';
import type { Bundle } from './types.ts';
import { type VolumeVerdict, verifyVolume } from './verify-volume.ts';

export interface VerifyOptions {
  /** Id, where several bundles lie in the folders; the newest by default. */
  readonly bundle?: string | undefined;
  /** Who vouches for the sender; without it the signature is not looked at. */
  readonly followRoots?: FollowRoots | undefined;
}

export interface VerifyReport {
  readonly bundle: Bundle;
  readonly signature: 'good' | 'unchecked';
  readonly volumes: readonly VolumeVerdict[];
  readonly missingVolumes: readonly number[];
  /** Of all volumes. */
  readonly damage: readonly FileDamage[];
  /** Folders of other bundles, ignored. */
  readonly foreign: readonly string[];
  /** True if every volume is there and sound. */
  readonly complete: boolean;
}

/**
 * `dirs` hold volume folders or are some; each volume is checked alone. Damage is reported, not thrown: see
 * `requireSound`. Thrown is what no accident does: a wrong signature, links, members that the signed list does not name.
 */
export async function verifyBundle(dirs: readonly string[], options: VerifyOptions, run: Run): Promise<VerifyReport> {
  const chosen = chooseBundle(await findVolumes(dirs), options.bundle);
  const { bundle, volumes } = chosen.found;
  const folders = volumes.map(({ folder }) => folder);
  if (options.followRoots !== undefined) await verifySender(chosen.found, options.followRoots);
  const bytes = volumes.flatMap(({ volume }) => bundle.root.volumes[volume - 1]?.packs ?? []);
  run.onEvent?.({ type: 'phase', phase: 'verify', bytes: bytes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) });
  const progress = { files: 0, bytes: 0 };
  const onBytes = (count: number): void => {
    progress.files += 1;
    progress.bytes += count;
    run.onEvent?.({ type: 'advance', ...progress });
  };
  const contents = await openContents(folders, bundle);
  const verdicts: VolumeVerdict[] = [];
  try {
    for (const found of volumes) {
      verdicts.push(await verifyVolume(found, { bundle, contents, signal: run.signal, onBytes }));
    }
  } finally {
    await contents?.close();
  }
  const damage = [...verdicts.flatMap((verdict) => verdict.damage), ...rootDamage(chosen)];
  const seen = new Set([...volumes.map(({ volume }) => volume), ...chosen.rootless.map(({ volume }) => volume)]);
  const missing = missingVolumes(chosen.found).filter((volume) => !seen.has(volume));
  return {
    bundle,
    signature: options.followRoots === undefined ? 'unchecked' : 'good',
    volumes: verdicts,
    missingVolumes: missing,
    damage,
    foreign: chosen.foreign,
    complete: missing.length === 0 && damage.length === 0,
  };
}

/** Throws `bundle.damaged` or `bundle.incomplete` with everything that a report lists. */
export function requireSound(report: VerifyReport): void {
  const { bundle, damage, missingVolumes, complete } = report;
  if (!complete) throw damageError('verify', { id: bundle.id, damage, missing: missingVolumes });
}

/** The first sound contents list. */
export async function openContents(folders: readonly string[], bundle: Bundle): Promise<ContentsFile | undefined> {
  for (const folder of folders) {
    const contents = await ContentsFile.open(join(folder, CONTENTS_NAME), bundle);
    if (contents !== undefined) return contents;
  }
  return undefined;
}

function rootDamage({ rootless }: Chosen): FileDamage[] {
  return rootless.map(({ folder, volume, reason }) => ({
    volume,
    folder,
    file: ROOT_NAME,
    what: `is damaged: ${reason}`,
    objects: [],
  }));
}
