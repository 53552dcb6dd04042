/** An OVA: descriptor, manifest and disk, in the order of DSP0243 §5.1, for ESXi, vSphere and VirtualBox. */
import { hash } from 'node:crypto';
import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { packFiles } from '../../exec/tar.ts';
import { ovfDescriptor, ovfManifest } from '../../formats/ovf.ts';
import { type DriverDeps, needDrivers } from '../drivers.ts';
import { fileDigest } from '../file-digest.ts';
import type { MakeOutput } from '../output.ts';
import { type DiskFormDeps, streamOptimized } from './disk-forms.ts';

export interface OvaDeps extends DiskFormDeps, DriverDeps {
  readonly packFiles: typeof packFiles;
}

/** What a machine begins with; vSphere's own words change it. */
const CPUS = 2;
const MEMORY_MIB = 2048;

export const ova: MakeOutput<OvaDeps> = async (deps, built) => {
  const { name, folder, diskBytes, epoch, signal } = built;
  // The controller and the network card of the descriptor.
  await needDrivers(deps, built, { target: 'VMware', drivers: ['mptspi', 'vmxnet3'] });
  const [descriptor, manifest, disk] = [`${name}.ovf`, `${name}.mf`, `${name}-disk1.vmdk`] as const;
  await link(await streamOptimized(deps, built), join(folder, disk));
  const { sha256, sizeBytes } = await fileDigest(join(folder, disk), { signal });
  const words = ovfDescriptor({
    name,
    cpus: CPUS,
    memoryMib: MEMORY_MIB,
    disk: { file: disk, sizeBytes, capacityBytes: diskBytes },
  });
  const listed = [
    { name: descriptor, sha256: hash('sha256', words) },
    { name: disk, sha256 },
  ];
  await writeFile(join(folder, descriptor), words);
  await writeFile(join(folder, manifest), ovfManifest(listed));
  const file = join(folder, 'machine.ova');
  await deps.packFiles({ folder, names: [descriptor, manifest, disk], to: file, format: 'ustar', epoch, signal });
  return [{ path: `${name}.ova`, file }];
};
