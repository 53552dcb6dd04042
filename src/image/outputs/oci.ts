/** A container image: an OCI image layout (image-spec 1.0) in a tar, which is a docker-archive as well. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { runSealed } from '../../exec/sealed.ts';
import type { packFiles } from '../../exec/tar.ts';
import { fileDigest } from '../file-digest.ts';
import { runOnLayers } from '../layers-script.ts';
import { MOUNT_LAYERS } from '../mount-layers.ts';
import { type Blob, configBlob, layoutFiles, manifestBlob } from '../oci-image.ts';
import type { Built, MakeOutput } from '../output.ts';
import { ROOT_STEPS } from '../root-steps.ts';

export interface OciDeps {
  readonly runSealed: typeof runSealed;
  readonly packFiles: typeof packFiles;
}

/**
 * `$1`: the work folder; then the layers, the lowest last. Writes layer.tar.gz, and says the SHA-256 of the tar in it.
 * What a runtime makes for a container is left out.
 */
const SCRIPT = String.raw`
W=$1
shift
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
mount_root
say 'write the layer'
tar -C "$T" --sort=name --format=posix --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \
  --numeric-owner --xattrs --xattrs-include='security.*' --exclude='./dev/*' --exclude='./run/*' --exclude='./tmp/*' \
  -cf "$W/layer.tar" .
sha256sum < "$W/layer.tar" | cut -c 1-64
gzip -n "$W/layer.tar"
`;

export const oci: MakeOutput<OciDeps> = async (deps, built) => {
  const { name, folder, epoch, container, signal } = built;
  const layout = join(folder, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const diffId = await writeLayer(deps, built);
  const packed = join(folder, 'layer.tar.gz');
  const layer = await fileDigest(packed, { signal });
  await rename(packed, join(blobs, layer.sha256));
  const config = configBlob({ name, epoch, container, diffId });
  const manifest = manifestBlob(config, layer);
  const files = layoutFiles({ name, manifest, config, layer });
  for (const { sha256, bytes } of [config, manifest] as readonly Blob[]) await writeFile(join(blobs, sha256), bytes);
  for (const [path, text] of Object.entries(files)) await writeFile(join(layout, path), text);
  const file = join(folder, 'image.tar');
  const names = [...Object.keys(files), 'blobs'];
  await deps.packFiles({ folder: layout, names, to: file, format: 'gnu', epoch, signal });
  return [{ path: `${name}.oci.tar`, file }];
};

async function writeLayer(deps: OciDeps, built: Built): Promise<string> {
  return (await runOnLayers(deps, { ...built, script: SCRIPT, args: [built.folder] })).trim();
}
