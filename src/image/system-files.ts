import { MOUNT_LAYERS } from './mount-layers.ts';

/**
 * For the scripts: `$W` is the work folder, the arguments are the files of the layers, the uppermost first. Mounts them
 * (`$LAYERS`), finds the kernel (`$kernel`: its version), and says what is missing of the system that lies at `$T`.
 */
export const SYSTEM_FILES = `
say() { echo "$*" > "$W/step"; }
fail() { echo "$*" >&2; exit 1; }
need() { [ -e "$T/$1" ] || fail "the system has no /$1: add $2 to packages:"; }
say 'look for what boots'
${MOUNT_LAYERS}
kernel=
for each in "$W"/below/*/boot/vmlinuz-*; do [ -e "$each" ] && kernel=$(basename "$each" | cut -d- -f2-); done
[ -n "$kernel" ] || fail 'the system has no kernel: add linux-image-amd64 to packages:'
`;
