/** The repositories of a mirror signed anew, everything else the same: after a change of the signing key. */
import { KubedosError } from '../../errors.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { parseRepomd } from '../../formats/rpm/repomd.ts';
import { lookupPath } from '../../store/manifest.ts';
import { editManifest } from '../../store/manifest-edit.ts';
import type { ManifestEntry, ManifestRef, MirrorHead, ObjectStore, Sha256 } from '../../store/types.ts';
import type { Keyring } from '../../trust/types.ts';
import { MAX_KEYRING_BYTES, storedDocument } from '../stored-file.ts';
import { type RpmPublisherDeps, signedFiles } from './publish-yum.ts';
import { mirrorRepositories } from './repositories.ts';

/** Clients are given the new key with it. The manifest's objects are flushed. */
export async function resignRpmMirror(
  objects: ObjectStore,
  { signer, listKeys }: Pick<RpmPublisherDeps, 'signer' | 'listKeys'>,
  { manifest, evidence }: Pick<MirrorHead, 'manifest' | 'evidence'>,
): Promise<ManifestRef> {
  const set: ManifestEntry[] = [];
  const keyrings = new Set(evidence.flatMap(({ keyring }) => keyring ?? []));
  const packageKeys = Buffer.concat(
    await Promise.all([...keyrings].sort().map((keyring) => keyringBytes(objects, keyring))),
  );
  const deps = { objects, signer, listKeys };
  for (const { folder, repomd: entry } of await mirrorRepositories(objects, manifest.root)) {
    const repomd = await storedDocument(objects, entry);
    const { revision } = await parseRepomd(repomd, entry.path);
    set.push(...(await signedFiles(deps, { folder, repomd, packageKeys, date: new Date(Number(revision) * 1000) })));
  }
  const next = await editManifest(objects, manifest.root, { set });
  await objects.flush();
  return next;
}

async function keyringBytes(objects: ObjectStore, sha256: Sha256): Promise<Buffer> {
  const bytes = await objects.read(sha256, MAX_KEYRING_BYTES);
  if (bytes !== undefined) return bytes;
  throw new KubedosError('store.not-found', `sign anew: keyring ${sha256} of an upstream is not in the store`, {
    hint: 'sync the mirror again: its keyring is kept with it',
  });
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
