/** Signs a Release in both forms that clients read. */
import { hash } from 'node:crypto';
import type { ManifestEntry, ObjectRef, ObjectStore } from '../store/types.ts';
import type { SigningKey } from '../trust/types.ts';

export type ReleaseSigner = Pick<SigningKey, 'clearsign' | 'detached'>;

export interface SignedRelease {
  /** Release, Release.gpg, InRelease. */
  readonly entries: readonly ManifestEntry[];
  readonly inRelease: ObjectRef;
}

/** `date` stands in the signatures as well, so that the same Release gives the same signatures. */
export async function signRelease(
  objects: ObjectStore,
  signer: ReleaseSigner,
  release: { readonly dists: string; readonly text: string; readonly date: Date },
): Promise<SignedRelease> {
  const bytes = Buffer.from(release.text);
  const [signature, clearsigned] = await Promise.all([
    signer.detached(bytes, release.date),
    signer.clearsign(release.text, release.date),
  ]);
  const store = (document: Buffer): Promise<ObjectRef> =>
    objects.put([document], { sha256: hash('sha256', document, 'hex'), sizeBytes: document.length });
  const inRelease = await store(Buffer.from(clearsigned));
  const named: readonly (readonly [string, ObjectRef])[] = [
    ['InRelease', inRelease],
    ['Release', await store(bytes)],
    ['Release.gpg', await store(Buffer.from(signature))],
  ];
  return { entries: named.map(([name, ref]) => ({ path: `${release.dists}/${name}`, ...ref })), inRelease };
}
