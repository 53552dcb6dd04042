/** The forms that a system is given: each in a file of its own. */
import { KubedosError } from '../errors.ts';
import type { OutputName } from '../spec/recipe-spec.ts';
import type { MakeOutput } from './output.ts';
import { aws } from './outputs/aws.ts';
import { type DiskFormDeps, gcp, qcow2, qcow2Zstd, raw, vhd, vmdk } from './outputs/disk-forms.ts';
import { firecracker } from './outputs/firecracker.ts';
import { type InstallerDeps, iso } from './outputs/installer-iso.ts';
import { live, netboot } from './outputs/live.ts';
import { type OciDeps, oci } from './outputs/oci.ts';
import { type OvaDeps, ova } from './outputs/ova.ts';
import type { RecipeChain } from './recipe-chain.ts';

export type OutputDeps = DiskFormDeps & InstallerDeps & OvaDeps & OciDeps;

/** In the order in which they are made. */
export const OUTPUT_FORMS: Readonly<Record<OutputName, MakeOutput<OutputDeps>>> = {
  qcow2,
  'qcow2-zstd': qcow2Zstd,
  ova,
  // After ova, which has it within.
  vmdk,
  vhd,
  gcp,
  aws,
  firecracker,
  oci,
  iso,
  live,
  netboot,
  // Last: the disk itself moves into the store.
  raw,
};

/** `spec.invalid` for a form that systems of this family are not given. */
export function checkOutputs({ base, levels }: RecipeChain, outputs: readonly OutputName[]): void {
  const other = outputs.find((each) => each !== 'oci');
  if (base.distribution === 'debian' || other === undefined) return;
  throw new KubedosError(
    'spec.invalid',
    `${levels.at(-1)?.file}: outputs: ${other}: systems of rpm packages become oci alone`,
    {
      hint: '--output oci: their boot loaders and initramfs are not put together yet',
    },
  );
}
