/**
 * A copy of a mirror's state whose Release files are dated anew and signed anew, everything else the same: what a
 * channel needs to go back, since apt takes a Release that is older than the one it has for unchanged, silently.
 */
import { KubedosError } from '../errors.ts';
import { parseRelease, writeRelease } from '../formats/apt/release.ts';
import { readManifest } from '../store/manifest.ts';
import { editManifest } from '../store/manifest-edit.ts';
import type { ManifestEntry, ManifestRef, MirrorForm, ObjectStore } from '../store/types.ts';
import { type ReleaseSigner, signRelease } from './sign-release.ts';
import { storedDocument } from './stored-file.ts';

export interface ResignDeps {
  readonly objects: ObjectStore;
  readonly signer: ReleaseSigner;
}

export interface ResignRequest {
  readonly mirror: { readonly name: string; readonly form: MirrorForm; readonly manifest: ManifestRef };
  /** A Valid-Until is counted from here; default: it stays. */
  readonly now?: Date | undefined;
  /**
   * What clients are served now. The new Date is that of the newest Release in it: apt takes one that is equal, and all that
   * is published later is newer, also what was on its way when the channel went back. Its by-hash files stay, for clients
   * that have read its Release and not yet its indexes.
   */
  readonly replaces?: ManifestRef | undefined;
}

export type Resigned =
  | { readonly possible: true; readonly manifest: ManifestRef; readonly date: Date }
  /** `upstream-signed`: a verbatim mirror carries a signature that is not ours to make: serve the snapshot under its own URL. */
  | { readonly possible: false; readonly reason: 'upstream-signed' };

/** The manifest's objects are flushed. The same request gives the same manifest, as far as signatures are deterministic. */
export async function resignMirror({ objects, signer }: ResignDeps, request: ResignRequest): Promise<Resigned> {
  const { mirror, now, replaces } = request;
  if (mirror.form === 'verbatim') return { possible: false, reason: 'upstream-signed' };
  const releases = await releasesOf(objects, mirror.manifest);
  if (releases.length === 0)
    throw new KubedosError('store.corrupt', `sign ${mirror.name} anew: its list has no dists/SUITE/Release`);
  const served = replaces === undefined ? [] : await releasesOf(objects, replaces);
  const date = new Date(Math.max(...[...releases, ...served].map(({ release }) => release.date?.getTime() ?? 0)));

  const set: ManifestEntry[] = [];
  for (const { dists, release } of releases) {
    const { validUntil, date: before } = release;
    // Valid from now for as long as it was when it was made. A Signed-By would bind the next Release to a key of the past.
    const validity =
      now && validUntil && before ? new Date(now.getTime() + validUntil.getTime() - before.getTime()) : validUntil;
    const text = writeRelease({ ...release, date, validUntil: validity, signedBy: undefined });
    set.push(...(await signRelease(objects, signer, { dists, text, date })).entries);
  }
  // By-hash paths name their content: what both lists have is the same.
  if (replaces !== undefined)
    for await (const entry of readManifest(objects, replaces.root, { prefix: 'dists/' }))
      if (entry.path.includes('/by-hash/')) set.push(entry);
  const manifest = await editManifest(objects, mirror.manifest.root, { set });
  await objects.flush();
  return { possible: true, manifest, date };
}

async function releasesOf(objects: ObjectStore, manifest: ManifestRef) {
  const found = [];
  for await (const entry of readManifest(objects, manifest.root, { prefix: 'dists/' })) {
    if (!entry.path.endsWith('/Release') || entry.path.includes('/by-hash/')) continue;
    const release = parseRelease(await storedDocument(objects, entry), entry.path);
    // Some archives have small files of that name beside each index: those list no files.
    if (release.files.size > 0) found.push({ dists: entry.path.slice(0, -'/Release'.length), release });
  }
  return found;
}
