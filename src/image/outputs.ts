/** A raw disk in the forms that hypervisors and clouds take. */
import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import type { convertImage } from '../exec/qemu-img.ts';
import type { packDisk } from '../exec/tar.ts';
import { FOOTER_BYTES, sealedFooter } from '../formats/vhd.ts';
import type { OutputName } from '../spec/recipe-spec.ts';

export interface OutputDeps {
  readonly convertImage: typeof convertImage;
  readonly packDisk: typeof packDisk;
}

export interface RawDisk {
  /** `disk.raw` in a folder for what is made of it. */
  readonly file: string;
  readonly folder: string;
  readonly bytes: number;
  readonly epoch: number;
  /** What identifiers follow from. */
  readonly key: string;
  readonly signal?: AbortSignal | undefined;
}

interface Output {
  /** Behind the name of the recipe. */
  readonly ending: string;
  /** Gives the file. */
  readonly make: (deps: OutputDeps, disk: RawDisk) => Promise<string>;
}

export const OUTPUT_FORMS: Readonly<Record<OutputName, Output>> = {
  qcow2: {
    ending: 'qcow2',
    make: (deps, disk) => converted(deps, disk, 'qcow2', ['compat=1.1,compression_type=zstd']),
  },
  vmdk: { ending: 'vmdk', make: vmdk },
  vhd: { ending: 'vhd', make: vhd },
  gcp: { ending: 'tar.gz', make: gcp },
  // Last: the disk itself moves into the store.
  raw: { ending: 'raw', make: async (_, { file }) => file },
};

async function converted(
  { convertImage }: OutputDeps,
  { file, folder, signal }: RawDisk,
  format: string,
  options: readonly string[],
): Promise<string> {
  // The name stands in the descriptor of a VMDK.
  const to = join(folder, `disk.${format}`);
  await convertImage(file, to, { format, options, signal });
  return to;
}

const DESCRIPTOR_BYTES = 64 * 1024;

/** Stream-optimized, as OVA wants it. qemu-img makes up the content id. */
async function vmdk(deps: OutputDeps, disk: RawDisk): Promise<string> {
  const file = await converted(deps, disk, 'vmdk', ['subformat=streamOptimized,adapter_type=lsilogic']);
  const handle = await open(file, 'r+');
  try {
    const start = Buffer.alloc(DESCRIPTOR_BYTES);
    await handle.read(start, 0, DESCRIPTOR_BYTES, 0);
    const at = start.indexOf('\nCID=');
    if (at < 0) throw new KubedosError('internal.bug', 'write a VMDK: qemu-img wrote no content id');
    await handle.write(hash('sha256', `${disk.key} vmdk`).slice(0, 8), at + '\nCID='.length, 'latin1');
  } finally {
    await handle.close();
  }
  return file;
}

/** Fixed, and of the very size of the disk, which is whole MiB: Azure takes no other. */
async function vhd(deps: OutputDeps, disk: RawDisk): Promise<string> {
  const file = await converted(deps, disk, 'vpc', ['subformat=fixed,force_size=on']);
  const handle = await open(file, 'r+');
  try {
    const footer = Buffer.alloc(FOOTER_BYTES);
    await handle.read(footer, 0, FOOTER_BYTES, disk.bytes);
    const id = Buffer.from(hash('sha256', `${disk.key} vhd`), 'hex');
    await handle.write(sealedFooter(footer, { time: disk.epoch, id }), 0, FOOTER_BYTES, disk.bytes);
  } finally {
    await handle.close();
  }
  return file;
}

async function gcp({ packDisk }: OutputDeps, { file, folder, bytes, epoch, signal }: RawDisk): Promise<string> {
  if (bytes % 1024 ** 3 !== 0)
    throw new KubedosError('spec.invalid', 'outputs: gcp: Google takes disks of whole GiB: set `disk: { size: 3GiB }`');
  const to = join(folder, 'disk.tar.gz');
  await packDisk(file, to, { epoch, signal });
  return to;
}
