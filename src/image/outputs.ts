/** The forms that a system is given: each in a file of its own. */
import type { OutputName } from '../spec/recipe-spec.ts';
import type { MakeOutput } from './output.ts';
import { type DiskFormDeps, gcp, qcow2, raw, vhd, vmdk } from './outputs/disk-forms.ts';

export type OutputDeps = DiskFormDeps;

/** In the order in which they are made. */
export const OUTPUT_FORMS: Readonly<Record<OutputName, MakeOutput<OutputDeps>>> = {
  qcow2,
  vmdk,
  vhd,
  gcp,
  // Last: the disk itself moves into the store.
  raw,
};
