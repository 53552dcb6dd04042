/** The repositories of a mirror signed anew, everything else the same: after a change of the signing key. */
import { KubedosError } from '../../errors.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { parseRepomd } from '../../formats/rpm/repomd.ts';
import { lookupPath } from '../../store/manifest.ts';
import { editManifest } from '../../store/manifest-edit.ts';
import type { ManifestEntry, ManifestRef, MirrorHead, ObjectStore } from '../../store/types.ts';
import type { Keyring, SigningKey } from '../../trust/types.ts';
import { storedDocument } from '../stored-file.ts';
import { signedFiles } from './publish-yum.ts';
import { mirrorRepositories } from './repositories.ts';

/** Clients are given the new key with it. The manifest's objects are flushed. */
export async function resignRpmMirror(
  objects: ObjectStore,
  signer: Pick<SigningKey, 'detached' | 'publicArmored'>,
  manifest: ManifestRef,
): Promise<ManifestRef> {
  const set: ManifestEntry[] = [];
  const deps = { objects, signer, listKeys: async () => signer.publicArmored() };
  for (const { folder, repomd: entry } of await mirrorRepositories(objects, manifest.root)) {
    const repomd = await storedDocument(objects, entry);
    const { revision } = await parseRepomd(repomd, entry.path);
    set.push(...(await signedFiles(deps, { folder, repomd, date: new Date(Number(revision) * 1000) })));
  }
  const next = await editManifest(objects, manifest.root, { set });
  await objects.flush();
  return next;
}

/** True if these keys signed the newest state of the mirror. */
export async function isRpmSignedBy(keys: Keyring, head: MirrorHead, objects: ObjectStore): Promise<boolean> {
  for (const { folder, repomd } of await mirrorRepositories(objects, head.manifest.root)) {
    const signature = await lookupPath(objects, head.manifest.root, inFolder(folder, 'repodata/repomd.xml.asc'));
    if (signature === undefined) return false;
    const [document, bytes] = [await storedDocument(objects, repomd), await storedDocument(objects, signature)];
    try {
      await keys.verifyDetached(document, bytes, `${head.name} ${repomd.path}`);
    } catch (error) {
      if (error instanceof KubedosError && error.kind === 'trust') return false;
      throw error;
    }
    return true;
  }
  return false;
}
