/** Drivers that a target's disk or network has, and that must be there before the root is. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { runSealed } from '../exec/sealed.ts';
import { runOnLayers } from './layers-script.ts';
import { MOUNT_LAYERS } from './mount-layers.ts';
import type { Built } from './output.ts';
import { ROOT_STEPS } from './root-steps.ts';

export interface DriverDeps {
  readonly runSealed: typeof runSealed;
}

/** `$1`: the work folder; `$2`: names of drivers; `$3`: what wants them; then the layers, the lowest last. */
const SCRIPT = String.raw`
W=$1 DRIVERS=$2 TARGET=$3
shift 3
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
find_kernel
mount_root
need "boot/initrd.img-$kernel" initramfs-tools
say "look for the drivers of $TARGET"
chroot "$T" lsinitramfs "/boot/initrd.img-$kernel" > "$W/initramfs"
for driver in $DRIVERS; do
  grep -q "/$driver\.ko" "$W/initramfs" "$T/lib/modules/$kernel/modules.builtin" || fail "the initramfs lacks $driver:" \
    "write MODULES=most into a file of /etc/initramfs-tools/conf.d/, or $driver into /etc/initramfs-tools/modules;" \
    'a recipe that extends the one with the kernel also needs the hook: update-initramfs -u'
done
`;

/** `bake.failed` names the first that is neither in the initramfs nor in the kernel. */
export async function needDrivers(
  deps: DriverDeps,
  { level, layers, epoch, folder, signal }: Pick<Built, 'level' | 'layers' | 'epoch' | 'folder' | 'signal'>,
  of: { readonly target: string; readonly drivers: readonly string[] },
): Promise<void> {
  const work = join(folder, 'drivers');
  await mkdir(work);
  const args = [work, of.drivers.join(' '), of.target];
  await runOnLayers(deps, { script: SCRIPT, args, level, layers, epoch, signal, folder: work });
}
