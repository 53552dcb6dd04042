/** One volume, alone: documents, packs, parity, and the two lists of their hashes. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, storageError } from '../errors.ts';
import { type ContentsFile, hashHandle } from './contents-file.ts';
import type { FileDamage } from './damage.ts';
import { documentNames, rootName, snapshotName } from './document-names.ts';
import { openOrdinary, readOrdinary } from './documents.ts';
import { Journal } from './journal.ts';
import type { FoundVolume } from './medium.ts';
import { CONTENTS_NAME, ROOT_NAME, SUMS_NAME, VOLUME_NAME } from './names.ts';
import { isParityOf, protectedBy } from './parity-geometry.ts';
import type { Bundle } from './types.ts';
import { verifyPack } from './verify-pack.ts';
import { claimedBundle, MAX_VOLUME_BYTES } from './volume-document.ts';
import { packNumber, packsOf } from './volume-writer.ts';
import { judge, parseSums, type Seen } from './witness.ts';

export interface VolumeVerdict {
  readonly volume: number;
  readonly folder: string;
  readonly damage: readonly FileDamage[];
  /** Files that no list names; they are never read. */
  readonly strangers: readonly string[];
}

export interface VolumeInput {
  readonly bundle: Bundle;
  /** A sound contents list of this or another volume; without it packs are only held against the lists of hashes. */
  readonly contents: ContentsFile | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export async function verifyVolume(found: FoundVolume, input: VolumeInput): Promise<VolumeVerdict> {
  const { folder, volume, document } = found;
  const { bundle } = input;
  const documentBytes = await readOrdinary(join(folder, VOLUME_NAME), MAX_VOLUME_BYTES);
  const sums = (await readOrdinary(join(folder, SUMS_NAME), MAX_VOLUME_BYTES))?.toString();
  if (rootIsDamaged(bundle, documentBytes, sums)) {
    const what = 'does not have the hash that volume.json and SHA256SUMS say';
    return { volume, folder, damage: [{ volume, folder, file: ROOT_NAME, what, objects: [] }], strangers: [] };
  }
  const seen: Seen[] = [];
  const details = new Map<string, Pick<FileDamage, 'what' | 'objects'>>();
  const right = signedHashes(bundle);
  for (const name of documentNames(bundle.root)) {
    const one = await see(folder, name);
    const signed = right.get(name);
    seen.push({
      ...one,
      sound: one.sha256 === undefined ? false : signed === undefined ? undefined : signed === one.sha256,
    });
  }
  for (const pack of packsOf(bundle, volume)) {
    if (input.contents === undefined) {
      seen.push({ ...(await see(folder, pack.name)), sound: undefined });
      continue;
    }
    const mtime = Date.parse(bundle.root.time) / 1000;
    const number = packNumber(pack);
    const verdict = await verifyPack(join(folder, pack.name), {
      ...input,
      contents: input.contents,
      pack,
      number,
      mtime,
    });
    const { sha256, what, badObjects } = verdict;
    seen.push({ name: pack.name, sizeBytes: pack.sizeBytes, sha256, sound: what === '' });
    if (what !== '') details.set(pack.name, { what, objects: badObjects });
  }
  const parity = [
    ...(document?.parity ?? []).map(({ name }) => name),
    ...parityIn(parseSums(sums ?? ''), bundle, volume),
  ];
  for (const name of new Set(parity)) seen.push({ ...(await see(folder, name)), sound: undefined });
  const bad = judge(seen, { document, documentBytes, sums });
  const damage = [...bad].sort().map((file): FileDamage => {
    const gone = seen.some((one) => one.name === file && one.sha256 === undefined);
    const absent = gone || (file === VOLUME_NAME && !documentBytes) || (file === SUMS_NAME && sums === undefined);
    const plain = { what: absent ? 'is missing' : 'does not have the hash that it must have', objects: [] };
    return { volume, folder, file, ...(details.get(file) ?? plain) };
  });
  const known = new Set([...seen.map(({ name }) => name), VOLUME_NAME, SUMS_NAME, Journal.NAME]);
  return { volume, folder, damage, strangers: (await filesBelow(folder)).filter((name) => !known.has(name)) };
}

/** Both lists of hashes agree on another root: it is not they that are damaged, and nothing else can be judged by it. */
function rootIsDamaged(bundle: Bundle, documentBytes: Buffer | undefined, sums: string | undefined): boolean {
  const claimed = documentBytes === undefined ? undefined : claimedBundle(documentBytes);
  return claimed !== undefined && claimed !== bundle.sha256 && claimed === parseSums(sums ?? '').get(ROOT_NAME);
}

/** Parity that SHA256SUMS names. */
function parityIn(sums: ReadonlyMap<string, string>, bundle: Bundle, volume: number): string[] {
  const packs = packsOf(bundle, protectedBy(volume, bundle.root.volumes.length));
  return [...sums.keys()].filter((name) => packs.some((pack) => isParityOf(name, pack.name)));
}

/** Hashes that follow from the signed root. */
function signedHashes(bundle: Bundle): Map<string, string> {
  const { root } = bundle;
  return new Map([
    [ROOT_NAME, bundle.sha256],
    [CONTENTS_NAME, root.contents.sha256],
    ...root.snapshots.map(({ id, sha256 }): [string, string] => [snapshotName(id), sha256]),
    ...root.roots.map(({ version, sha256 }): [string, string] => [rootName(version), sha256]),
  ]);
}

async function see(folder: string, name: string): Promise<Omit<Seen, 'sound'>> {
  const opened = await openOrdinary(join(folder, name));
  if (opened === undefined) return { name, sizeBytes: 0, sha256: undefined };
  const { handle, sizeBytes } = opened;
  try {
    return { name, sizeBytes, sha256: await hashHandle(handle, sizeBytes) };
  } catch (error) {
    // A sector that cannot be read is damage to be named, not the end of the verification.
    if (errnoOf(error) === 'EIO') return { name, sizeBytes, sha256: undefined };
    throw storageError(`read ${join(folder, name)}`, error);
  } finally {
    await handle.close();
  }
}

/** One level of sub-folders, as volumes have; anything else in them is a stranger by its folder's name. */
async function filesBelow(folder: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) names.push(entry.name);
      else for (const inner of await readdir(join(folder, entry.name))) names.push(`${entry.name}/${inner}`);
    }
    return names.sort();
  } catch (error) {
    throw storageError(`list ${folder}`, error);
  }
}
