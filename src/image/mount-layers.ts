/**
 * For the scripts: mounts the layer files that are its arguments, the uppermost first, below `$W/below`, and says in
 * `$LAYERS` what overlayfs wants to be told of them.
 */
export const MOUNT_LAYERS = `
mkdir -p "$W/below/none"
LAYERS=
for layer in "$@"; do
  place="$W/below/$(basename "$layer")"
  mkdir "$place"
  mount -t squashfs -o loop,ro "$layer" "$place"
  LAYERS="$LAYERS$place:"
done
LAYERS="$LAYERS$W/below/none"`;
