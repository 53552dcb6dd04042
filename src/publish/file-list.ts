/** Lists of own files, such as a vendor's ISO: no index and no kind of package, only names; snapshots hold them like any mirror. */
import { KubedosError } from '../errors.ts';
import { canonicalPath } from '../formats/path.ts';
import type { Run } from '../progress.ts';
import { lookupPath, writeManifest } from '../store/manifest.ts';
import { editManifest } from '../store/manifest-edit.ts';
import { isoSeconds } from '../store/schemas.ts';
import type { ByteSource, ManifestEntry, ManifestRef, MirrorHead, Store } from '../store/types.ts';

export interface FileListDeps {
  readonly store: Pick<Store, 'objects' | 'heads' | 'withWriter'>;
  readonly now: () => Date;
}

export interface FileListChange {
  readonly add?: readonly { readonly path: string; readonly source: ByteSource }[] | undefined;
  readonly remove?: readonly string[] | undefined;
  /** Files of the same path with other bytes are replaced. */
  readonly force?: boolean | undefined;
}

export interface FileListReport {
  readonly mirror: string;
  readonly changed: boolean;
  readonly added: readonly ManifestEntry[];
  readonly unchanged: readonly ManifestEntry[];
  readonly removed: readonly ManifestEntry[];
  readonly manifest: ManifestRef;
}

/** An empty one; `store.exists` if there is a mirror of that name. */
export async function createFileList(deps: FileListDeps, mirror: string): Promise<FileListReport> {
  const { objects, heads } = deps.store;
  return deps.store.withWriter('repo create', async () => {
    if ((await heads.read(mirror)) !== undefined)
      throw new KubedosError('store.exists', `create list ${mirror}: there is a mirror of that name`);
    const manifest = await writeManifest(objects, []);
    await objects.flush();
    await heads.write(headOf(deps, mirror, manifest), undefined);
    return { mirror, changed: true, added: [], unchanged: [], removed: [], manifest };
  });
}

export function isFileList(head: MirrorHead | undefined): boolean {
  return head?.kind === 'files' && head.form === 'local' && head.memory.files === true;
}

/** As one step: `repo.conflict` for a path that has other bytes, and then nothing has changed. */
export async function changeFileList(
  deps: FileListDeps,
  mirror: string,
  change: FileListChange,
  { signal }: Run = {},
): Promise<FileListReport> {
  const { objects, heads } = deps.store;
  const incoming: ManifestEntry[] = [];
  // Before the lock: what comes may be large, and nobody is to wait for it.
  for (const { path, source } of change.add ?? []) {
    if (signal?.aborted) throw new KubedosError('cancelled', `change ${mirror}: stopped`);
    incoming.push({ path: canonicalPath(path, `add to ${mirror}`), ...(await objects.put(source)) });
  }
  await objects.flush();
  return deps.store.withWriter('repo change', async () => {
    const head = await heads.read(mirror);
    if (head === undefined || !isFileList(head))
      throw new KubedosError('repo.not-local', `change ${mirror}: it is no list of own files`, {
        hint: `make one with \`kubedos repo create ${mirror} --type files\``,
      });
    const [added, unchanged, removed] = [[], [], []] as [ManifestEntry[], ManifestEntry[], ManifestEntry[]];
    for (const path of change.remove ?? []) {
      const old = await lookupPath(objects, head.manifest.root, path);
      if (old === undefined) throw new KubedosError('store.not-found', `remove ${path}: ${mirror} holds none`);
      removed.push(old);
    }
    for (const entry of incoming) {
      const old = await lookupPath(objects, head.manifest.root, entry.path);
      if (old?.sha256 === entry.sha256) unchanged.push(entry);
      else if (old === undefined || change.force) added.push(entry);
      else
        throw new KubedosError(
          'repo.conflict',
          `add ${entry.path}: ${mirror} holds it with other bytes: ${old.sha256}, not ${entry.sha256}`,
          { hint: 'give the file a name of its own, or replace it with --force' },
        );
    }
    const edit = { set: added, remove: removed.map(({ path }) => path) };
    const manifest = await editManifest(objects, head.manifest.root, edit);
    const changed = manifest.root !== head.manifest.root;
    if (changed) {
      await objects.flush();
      await heads.write(headOf(deps, mirror, manifest), head.manifest.root);
    }
    return { mirror, changed, added, unchanged, removed, manifest };
  });
}

function headOf({ now }: FileListDeps, name: string, manifest: ManifestRef): MirrorHead {
  return {
    format: 'kubedos-head/1',
    ...{ name, kind: 'files', form: 'local', manifest, evidence: [] },
    time: isoSeconds(now()),
    spec: null,
    // Unlike the images of `bake`, which people do not change.
    memory: { files: true },
  };
}
