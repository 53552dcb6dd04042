/** After a change of the signing key: the newest states of what this store signs, signed by the new one. */
import { KubedosError } from '../errors.ts';
import { readManifest } from '../store/manifest.ts';
import type { ManifestRef, MirrorHead, ObjectStore, Store } from '../store/types.ts';
import type { Keyring, SigningKey } from '../trust/types.ts';
import type { LocalRepoDeps } from './repo-publication.ts';
import { resignMirror } from './resign.ts';
import { storedDocument } from './stored-file.ts';
import { isRpmSignedBy, resignRpmMirror } from './yum/resign.ts';

export interface ResignHeadsDeps {
  readonly store: Pick<Store, 'objects' | 'heads'>;
  readonly signer: Pick<SigningKey, 'clearsign' | 'detached'>;
  /** Public keys of all who sign lists here, the new one among them, ASCII-armoured. */
  readonly listKeys: () => Promise<string>;
  /** What signed them so far: heads that a bundle brought are another store's, and stay as they are. */
  readonly before: Keyring;
  /** The catalog's. */
  readonly recordChange?: LocalRepoDeps['recordChange'];
}

/**
 * Dates stay: apt takes another Release of the same second. Snapshots stay as they are; the next one holds what is
 * signed here. The caller holds the writer's lock. Names of the mirrors; a repeat signs nothing.
 */
export async function resignHeads(deps: ResignHeadsDeps): Promise<string[]> {
  const { store, before, recordChange } = deps;
  const names: string[] = [];
  for (const mirror of await headsSignedBy(store, before)) {
    const manifest = await resigned(store.objects, deps, mirror);
    if (manifest === undefined) continue;
    const { root } = mirror.manifest;
    await store.heads.write({ ...mirror, manifest }, root);
    await recordChange?.(mirror.name, { before: root, root: manifest.root, added: [], removed: [] });
    names.push(mirror.name);
  }
  return names;
}

async function resigned(
  objects: ObjectStore,
  { signer, listKeys }: Pick<ResignHeadsDeps, 'signer' | 'listKeys'>,
  mirror: MirrorHead,
): Promise<ManifestRef | undefined> {
  if (mirror.kind === 'yum') return resignRpmMirror(objects, { signer, listKeys }, mirror);
  const answer = await resignMirror({ objects, signer }, { mirror });
  return answer.possible ? answer.manifest : undefined;
}

/** Mirrors whose newest state these keys signed. */
export async function headsSignedBy(
  { objects, heads }: ResignHeadsDeps['store'],
  keys: Keyring,
): Promise<MirrorHead[]> {
  const found: MirrorHead[] = [];
  for (const head of await heads.list()) if (await isSignedBy(keys, head, objects)) found.push(head);
  return found;
}

async function isSignedBy(keys: Keyring, head: MirrorHead, objects: Store['objects']): Promise<boolean> {
  if (head.form === 'verbatim') return false;
  if (head.kind === 'yum') return isRpmSignedBy(keys, head, objects);
  for await (const entry of readManifest(objects, head.manifest.root, { prefix: 'dists/' })) {
    if (!entry.path.endsWith('/InRelease')) continue;
    try {
      await keys.verifyClearsigned(await storedDocument(objects, entry), `${head.name} ${entry.path}`);
    } catch (error) {
      if (error instanceof KubedosError && error.kind === 'trust') return false;
      throw error;
    }
    return true;
  }
  return false;
}
