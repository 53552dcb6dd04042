/** A disk that becomes a snapshot of EBS, and what `aws ec2 register-image` is to be told of it. */
import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../store/canonical-json.ts';
import { type DriverDeps, needDrivers } from '../drivers.ts';
import type { MakeOutput } from '../output.ts';

/** Disks are NVMe devices there, network cards ENA. */
const DRIVERS = ['nvme', 'ena'];

/** The disk is that of `raw`, an object which both of their names stand for. */
export const aws: MakeOutput<DriverDeps> = async (deps, built) => {
  const { name, folder, key } = built;
  await needDrivers(deps, built, { target: 'AWS', drivers: DRIVERS });
  const disk = join(folder, 'disk.raw');
  // `raw` takes the other name of it.
  await link(await built.disk(), disk);
  const registration = join(folder, 'register-image.json');
  await writeFile(registration, `${canonicalJson(registerImage(`${name}-${key.slice(0, 12)}`))}\n`);
  return [
    { path: `${name}.aws.raw`, file: disk },
    { path: `${name}.aws.json`, file: registration },
  ];
};

/** Input of the API action RegisterImage (Amazon EC2 API Reference), but for the snapshot, which is known there alone. */
function registerImage(name: string): object {
  return {
    Name: name,
    Architecture: 'x86_64',
    VirtualizationType: 'hvm',
    BootMode: 'uefi-preferred',
    EnaSupport: true,
    ImdsSupport: 'v2.0',
    RootDeviceName: '/dev/xvda',
  };
}
