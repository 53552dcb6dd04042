/** Brings every object of the bundle that the store lacks into the store, from whatever volumes are at hand. */
import { join } from 'node:path';
import type { Run } from '../progress.ts';
import { withScratch } from '../store/scratch.ts';
import type { FileDamage } from './damage.ts';
import { type Intake, importPack, type PackOutcome } from './import-pack.ts';
import type { FoundVolume } from './medium.ts';
import { mendPack } from './mend-pack.ts';
import { countOf, type PackNeeds } from './needs.ts';
import type { ParityTool } from './parity.ts';

export interface Taken {
  readonly damage: readonly FileDamage[];
  /** Volumes of which a needed pack lies in no folder given. */
  readonly missing: readonly number[];
  /** Packs that parity brought back. */
  readonly mended: readonly string[];
}

interface Attempt {
  readonly folder: string;
  readonly outcome: PackOutcome;
}

/** Goes through all packs in spite of damage, so that everything wrong is named at once and the rest is held already. */
export async function takePacks(
  intake: Intake,
  media: { readonly volumes: readonly FoundVolume[]; readonly tool: ParityTool | undefined },
  run: Run,
): Promise<Taken> {
  const damage: FileDamage[] = [];
  const missing = new Set<number>();
  const mended: string[] = [];
  for (const needs of intake.needs.packs) {
    if (countOf(needs.wanted) === 0) continue;
    const attempts: Attempt[] = [];
    for (const { folder } of media.volumes.filter(({ volume }) => volume === needs.volume || volume === 0)) {
      const outcome = await importPack(join(folder, needs.pack.name), needs, intake);
      if (outcome.there) attempts.push({ folder, outcome });
      if (countOf(needs.wanted) === 0) break;
    }
    const last = attempts.at(-1);
    if (
      countOf(needs.wanted) > 0 &&
      last !== undefined &&
      (await mend(intake, needs, { ...media, folder: last.folder }, run))
    ) {
      mended.push(needs.pack.name);
    }
    if (countOf(needs.wanted) === 0) continue;
    if (attempts.length === 0) missing.add(needs.volume);
    for (const { folder, outcome } of attempts) {
      damage.push({
        volume: needs.volume,
        folder,
        file: needs.pack.name,
        what: outcome.what,
        objects: outcome.badObjects,
      });
    }
  }
  await intake.store.objects.flush();
  await intake.needs.large.finish();
  return { damage, missing: [...missing].sort((a, b) => a - b), mended };
}

async function mend(
  intake: Intake,
  needs: PackNeeds,
  media: { readonly volumes: readonly FoundVolume[]; readonly tool: ParityTool | undefined; readonly folder: string },
  run: Run,
): Promise<boolean> {
  const { tool, volumes } = media;
  if (tool === undefined) return false;
  return withScratch(intake.store, 'mend', async (into) => {
    const { pack, volume } = needs;
    const file = join(media.folder, pack.name);
    const { bundle, signal } = intake;
    const whole = await mendPack({ bundle, pack, volume, file, volumes, tool, into, signal });
    if (whole === undefined) return false;
    await importPack(whole, needs, intake);
    if (countOf(needs.wanted) > 0) return false;
    run.onEvent?.({ type: 'note', level: 'warn', message: `${file} was damaged; parity brought it back` });
    return true;
  });
}
