import { KubedosError } from '../errors.ts';
import type { Sha256 } from '../store/types.ts';

/** A file of a volume that is not what it must be. */
export interface FileDamage {
  readonly volume: number;
  readonly folder: string;
  readonly file: string;
  readonly what: string;
  /** Objects that cannot be had from this file. */
  readonly objects: readonly Sha256[];
}

const SHOWN = 10;

/** What is wrong, for people: the first few by name, the rest as a number. */
function describeDamage(damage: readonly FileDamage[], missing: readonly number[]): string {
  const lines = damage.map(
    ({ volume, file, what, objects }) =>
      `volume ${volume}: ${file} ${what}${objects.length > 0 ? ` (${objects.length} objects, ${objects[0]} the first)` : ''}`,
  );
  const shown = lines.slice(0, SHOWN);
  if (lines.length > SHOWN) shown.push(`and ${lines.length - SHOWN} more`);
  if (missing.length > 0) shown.push(`missing volumes: ${missing.join(', ')}`);
  return shown.join('; ');
}

/** `bundle.damaged`, or `bundle.incomplete` where volumes are missing and all else is sound. */
export function damageError(
  action: string,
  {
    id,
    damage,
    missing,
  }: { readonly id: string; readonly damage: readonly FileDamage[]; readonly missing: readonly number[] },
): KubedosError {
  const volumes = [...new Set([...damage.map(({ volume }) => volume), ...missing])].sort((a, b) => a - b);
  return new KubedosError(
    damage.length > 0 ? 'bundle.damaged' : 'bundle.incomplete',
    `${action} bundle ${id}: ${describeDamage(damage, missing)}`,
    {
      hint: `bring the missing volumes, or have them made again: \`kubedos bundle reburn ${id} ${volumes.map((volume) => `--volume ${volume}`).join(' ')}\``,
      details: { bundle: id, damage, missingVolumes: missing },
    },
  );
}
