/** A raw disk in the forms that hypervisors and clouds take. */
import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { convertImage } from '../../exec/qemu-img.ts';
import type { packFiles } from '../../exec/tar.ts';
import { FOOTER_BYTES, sealedFooter } from '../../formats/vhd.ts';
import { withContentId } from '../../formats/vmdk.ts';
import type { Built, MakeOutput } from '../output.ts';

export interface DiskFormDeps {
  readonly convertImage: typeof convertImage;
  readonly packFiles: typeof packFiles;
}

type DiskForm = MakeOutput<DiskFormDeps>;

export const raw: DiskForm = async (_, { name, disk }) => [{ path: `${name}.raw`, file: await disk() }];

export const qcow2: DiskForm = async (deps, built) => [
  { path: `${built.name}.qcow2`, file: await converted(deps, built, { format: 'qcow2', options: ['compat=1.1'] }) },
];

/** Smaller; each cluster is unpacked when it is read. QEMU 5.1 and later. */
export const qcow2Zstd: DiskForm = async (deps, built) => {
  const options = ['compat=1.1', 'compression_type=zstd'];
  const file = await converted(deps, built, { format: 'qcow2', options, compressed: true });
  return [{ path: `${built.name}.zstd.qcow2`, file }];
};

type Form = Pick<Parameters<typeof convertImage>[2], 'format' | 'options' | 'compressed'>;

async function converted({ convertImage }: DiskFormDeps, built: Built, form: Form): Promise<string> {
  // The name stands in the descriptor of a VMDK.
  const to = join(built.folder, `disk.${form.format}`);
  await convertImage(await built.disk(), to, { ...form, signal: built.signal });
  return to;
}

/** Of a VMDK: its header and descriptor are within. */
const START_BYTES = 64 * 1024;

export const vmdk: DiskForm = async (deps, built) => [
  { path: `${built.name}.vmdk`, file: await streamOptimized(deps, built) },
];

/** As OVA wants it. qemu-img makes up the content id. */
export function streamOptimized(deps: DiskFormDeps, built: Built): Promise<string> {
  return built.once('vmdk', (folder) => makeVmdk(deps, { ...built, folder }));
}

async function makeVmdk(deps: DiskFormDeps, built: Built): Promise<string> {
  const file = await converted(deps, built, {
    format: 'vmdk',
    options: ['subformat=streamOptimized', 'adapter_type=lsilogic'],
  });
  const handle = await open(file, 'r+');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    const named = withContentId(buffer.subarray(0, bytesRead), hash('sha256', `${built.key} vmdk`).slice(0, 8));
    await handle.write(named, 0, named.length, 0);
  } finally {
    await handle.close();
  }
  return file;
}

/** Fixed, and of the very size of the disk, which is whole MiB: Azure takes no other. */
export const vhd: DiskForm = async (deps, built) => {
  const file = await converted(deps, built, { format: 'vpc', options: ['subformat=fixed', 'force_size=on'] });
  const handle = await open(file, 'r+');
  try {
    const footer = Buffer.alloc(FOOTER_BYTES);
    await handle.read(footer, 0, FOOTER_BYTES, built.diskBytes);
    const id = Buffer.from(hash('sha256', `${built.key} vhd`), 'hex');
    await handle.write(sealedFooter(footer, { time: built.epoch, id }), 0, FOOTER_BYTES, built.diskBytes);
  } finally {
    await handle.close();
  }
  return [{ path: `${built.name}.vhd`, file }];
};

export const gcp: DiskForm = async ({ packFiles }, { name, disk, folder, diskBytes, epoch, signal }) => {
  if (diskBytes % 1024 ** 3 !== 0)
    throw new KubedosError('spec.invalid', 'outputs: gcp: Google takes disks of whole GiB: set `disk: { size: 3GiB }`');
  const file = join(folder, 'disk.tar.gz');
  const from = await disk();
  await packFiles({
    folder: dirname(from),
    names: [basename(from)],
    to: file,
    format: 'oldgnu',
    gzip: true,
    epoch,
    signal,
  });
  return [{ path: `${name}.tar.gz`, file }];
};
