/** What `bake` is given: the store, the tools, and who signs. */
import { KubedosError } from '../errors.ts';
import type { ArtifactDeps } from '../image/artifacts.ts';
import type { BakeDeps } from '../image/bake.ts';
import type { DescribeDeps } from '../image/describe.ts';
import type { MediaDeps } from '../image/media/bake-media.ts';
import type { RebuildDeps } from '../image/rebuild.ts';
import type { Snapshot, SnapshotMirror } from '../store/types.ts';
import type { House } from '../wiring.ts';
import { version } from './version.ts';

/** For images of this snapshot. The signing key is opened when there is something to sign. */
export async function bakeDeps(house: House, snapshot: Snapshot): Promise<BakeDeps & RebuildDeps> {
  const [
    { runSealed },
    { partition },
    { convertImage, dataExtents },
    { packFiles, unpackFile },
    { toolVersions, systemTools },
    { readSquashed },
    { queryRpm },
    { explainDifference },
  ] = await Promise.all([
    import('../exec/sealed.ts'),
    import('../exec/sfdisk.ts'),
    import('../exec/qemu-img.ts'),
    import('../exec/tar.ts'),
    import('../exec/tool-versions.ts'),
    import('../exec/unsquashfs.ts'),
    import('../exec/rpm-query.ts'),
    import('../exec/diffoscope.ts'),
  ]);
  const sources = async (mirror: SnapshotMirror, url: string): Promise<string> => {
    const config = await house.clientConfig({ snapshot, mirror, url });
    if (config !== undefined) return config.text;
    throw new KubedosError('spec.invalid', `mirrors: ${mirror.name} is no repository of packages`);
  };
  return {
    store: await house.store(),
    sources,
    underWay: new Map(),
    runSealed,
    partition,
    convertImage,
    dataExtents,
    packFiles,
    unpackFile,
    toolVersions: ({ chain, outputs }) => toolVersions(systemTools(chain.base.distribution, outputs)),
    readSquashed,
    queryRpm,
    explainDifference,
    ...signing(house),
  };
}

/** What vendors' media are repacked by. */
export async function mediaDeps(house: House): Promise<MediaDeps> {
  const [xorriso, mtools, { packInitramfs }, { implantChecksum }, { canBeOffline }, { toolVersions, MEDIA_TOOLS }] =
    await Promise.all([
      import('../exec/xorriso.ts'),
      import('../exec/mtools.ts'),
      import('../exec/cpio.ts'),
      import('../exec/isomd5sum.ts'),
      import('../exec/run.ts'),
      import('../exec/tool-versions.ts'),
    ]);
  return {
    ...{ ...xorriso, ...mtools, packInitramfs, implantChecksum },
    store: await house.store(),
    toolVersions: () => toolVersions(MEDIA_TOOLS),
    offline: canBeOffline(),
    ...signing(house),
  };
}

function signing(house: House): Pick<DescribeDeps, 'sign'> & Pick<ArtifactDeps, 'version'> {
  return { sign: async (bytes, date) => (await house.signer()).detached(bytes, date), version: version() };
}
