/** What `bake` is given: the store, the tools, and who signs. */
import { KubedosError } from '../errors.ts';
import type { BakeDeps } from '../image/bake.ts';
import type { Snapshot, SnapshotMirror } from '../store/types.ts';
import type { House } from '../wiring.ts';
import { version } from './version.ts';

/** For images of this snapshot. The signing key is opened when there is something to sign. */
export async function bakeDeps(house: House, snapshot: Snapshot): Promise<BakeDeps> {
  const [{ runSealed }, { partition }, { convertImage }, { packDisk }, { toolVersions }] = await Promise.all([
    import('../exec/sealed.ts'),
    import('../exec/sfdisk.ts'),
    import('../exec/qemu-img.ts'),
    import('../exec/tar.ts'),
    import('../exec/tool-versions.ts'),
  ]);
  const sources = async (kind: 'apt' | 'yum', mirror: SnapshotMirror, url: string): Promise<string> => {
    const config = await house.clientConfig({ snapshot, mirror, url });
    if (config !== undefined && mirror.kind === kind) return config.text;
    throw new KubedosError('spec.invalid', `mirrors: ${mirror.name} is no ${kind} repository`);
  };
  return {
    store: await house.store(),
    sources,
    runSealed,
    partition,
    convertImage,
    packDisk,
    toolVersions,
    sign: async (bytes, date) => (await house.signer()).detached(bytes, date),
    version: version(),
  };
}
