/** Packages of a local repository, signed by this store as they come in. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KubedosError } from '../../errors.ts';
import type { AddSignature } from '../../exec/rpmsign.ts';
import { readRpm } from '../../formats/rpm/rpm-file.ts';
import { TAG } from '../../formats/rpm/tags.ts';
import type { Evidence, ManifestEntry, MirrorHead } from '../../store/types.ts';
import { binarySignature } from '../../trust/sign.ts';
import type { PublicKeyInfo, SigningKey } from '../../trust/types.ts';
import type { NewPackage } from '../deb-intake.ts';

export interface PackageSigning {
  /** Opened when there is something to sign. */
  readonly key: () => Promise<Pick<SigningKey, 'detached'> & { readonly info: Pick<PublicKeyInfo, 'fingerprint'> }>;
  readonly addSignature: AddSignature;
}

const NAMES = { package: 'package.rpm', signed: 'header', signature: 'signature' };

/**
 * Writes the package into `folder`, which is made, with the store's signature of its header in place of those it came
 * with, and gives the path. The header names the digest of the payload, so that one signature covers both. It is dated
 * by the build: the same package and key give the same bytes, whenever it comes in. `repo.unsignable` for packages from
 * before rpm 4.14, whose header says nothing of the payload.
 */
export async function signedPackage(
  { key, addSignature }: PackageSigning,
  { origin, source }: Pick<NewPackage, 'origin' | 'source'>,
  { folder, signal }: { readonly folder: string; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, NAMES.package);
  await pipeline(Readable.from(source), createWriteStream(path), { signal });
  const { header, coversPayload } = await readRpm(createReadStream(path), origin);
  if (!coversPayload)
    throw new KubedosError('repo.unsignable', `sign ${origin}: its header has no digest of the payload`, {
      hint: 'build it anew by rpm 4.14 or later; or take it into a repository made without --sign-packages',
    });
  const built = new Date((header.number(TAG.buildTime) ?? 0) * 1000);
  const armored = await (await key()).detached(header.bytes, built);
  await writeFile(join(folder, NAMES.signed), header.bytes);
  await writeFile(join(folder, NAMES.signature), await binarySignature(armored));
  await addSignature({ folder, ...NAMES }, { signal });
  return path;
}

/** Says of a list that each package in it is signed: clients demand it then. */
export function packagesSignedBy(
  fingerprint: string,
  { entries, previous }: { readonly entries: readonly ManifestEntry[]; readonly previous: MirrorHead | undefined },
): Evidence {
  const repomd = entries.find(({ path }) => path === 'repodata/repomd.xml');
  if (repomd === undefined) throw new KubedosError('internal.bug', 'publish: there is no repomd.xml');
  const before = previous?.evidence.flatMap(({ fingerprints }) => fingerprints) ?? [];
  return {
    source: 'packages of this store',
    document: repomd.sha256,
    signature: null,
    keyring: null,
    verified: ['packages'],
    fingerprints: [...new Set([...before, fingerprint])].sort(),
    date: null,
    validUntil: null,
  };
}
