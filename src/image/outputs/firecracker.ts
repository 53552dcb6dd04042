/** What Firecracker and Kata start: a root file system without partitions, an ELF kernel, its initramfs, and the configuration. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackKernel } from '../../formats/bz-image.ts';
import { canonicalJson } from '../../store/canonical-json.ts';
import { type DriverDeps, needDrivers } from '../drivers.ts';
import { runOnLayers } from '../layers-script.ts';
import { MOUNT_LAYERS } from '../mount-layers.ts';
import type { Built, MakeOutput } from '../output.ts';
import { ROOT_STEPS } from '../root-steps.ts';
import { uuidOf } from '../uuid.ts';

/**
 * `$1`: the work folder; `$2`: size of the root file system, KiB; `$3`: its UUID; then the layers, the lowest last. Writes
 * vmlinuz and initrd beside root.ext4, which is there in its full size.
 */
const SCRIPT = `
W=$1 KIB=$2 FSID=$3
shift 3
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
find_kernel
mkdir -p "$W/top/etc"
echo "UUID=$FSID / ext4 defaults 0 1" > "$W/top/etc/fstab"
mount_root
write_ext4 "$W/root.ext4" 0 "$KIB" "$FSID" root "$T"
cp "$T/boot/vmlinuz-$kernel" "$W/vmlinuz"
cp "$T/boot/initrd.img-$kernel" "$W/initrd"
`;

const CPUS = 2;
const MEMORY_MIB = 1024;

export const firecracker: MakeOutput<DriverDeps> = async (deps, built) => {
  const { name, folder, cmdline, key } = built;
  // Debian's kernel has both as modules, and so needs its initramfs.
  await needDrivers(deps, built, { target: 'Firecracker', drivers: ['virtio_mmio', 'virtio_blk'] });
  const root = uuidOf(key, 'root file system of firecracker');
  await writeRoot(deps, built, root);
  const kernel = join(folder, 'vmlinux');
  await writeFile(kernel, await unpackKernel(await readFile(join(folder, 'vmlinuz')), `the kernel of ${name}`));
  const files = { disk: `${name}.ext4`, kernel: `${name}.vmlinux`, initrd: `${name}.initrd` };
  const config = join(folder, 'config.json');
  await writeFile(config, `${canonicalJson(configuration(files, `${cmdline} root=UUID=${root} ro`))}\n`);
  return [
    { path: files.disk, file: join(folder, 'root.ext4') },
    { path: files.kernel, file: kernel },
    { path: files.initrd, file: join(folder, 'initrd') },
    { path: `${name}.firecracker.json`, file: config },
  ];
};

async function writeRoot(deps: DriverDeps, built: Built, id: string): Promise<void> {
  const { folder, diskBytes } = built;
  const handle = await open(join(folder, 'root.ext4'), 'wx');
  await handle.truncate(diskBytes).finally(() => handle.close());
  await runOnLayers(deps, { ...built, script: SCRIPT, args: [folder, String(diskBytes / 1024), id] });
}

/**
 * For `firecracker --config-file`, beside the files. A root device is one that Firecracker tells the kernel of; with an
 * initramfs it shall not (docs/initrd.md of Firecracker).
 */
function configuration(
  { disk, kernel, initrd }: { readonly disk: string; readonly kernel: string; readonly initrd: string },
  cmdline: string,
): object {
  return {
    'boot-source': {
      kernel_image_path: kernel,
      initrd_path: initrd,
      boot_args: `${cmdline} reboot=k panic=1`,
    },
    drives: [{ drive_id: 'rootfs', path_on_host: disk, is_root_device: false, is_read_only: false }],
    'machine-config': { vcpu_count: CPUS, mem_size_mib: MEMORY_MIB },
  };
}
