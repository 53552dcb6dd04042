/** Everything about a bundle that is decided before a pack is written. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import type { ObjectRef, ObjectStore, Sha256 } from '../store/types.ts';
import { throwIfCancelled } from './cancel.ts';
import { contentsLine } from './contents.ts';
import { extentBytes, extentSizes, Layout, type LayoutLimits, layoutLimits } from './layout.ts';
import type { LineFile } from './lines.ts';
import { readSpool, type Spool } from './spool.ts';
import type { BundleRoot, PackMember, PackPlan } from './types.ts';

/** What the sender decides about packs and volumes. */
export interface Sizes {
  readonly volumeBytes: number;
  readonly packBytes: number;
  readonly parityPercent: number;
}

/** A small file that every volume carries: `snapshots/12-….json`. */
export interface CarriedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export type RootWithoutLayout = Omit<BundleRoot, 'contents' | 'extentBytes' | 'volumes'>;

export interface PlannedLayout {
  readonly limits: LayoutLimits;
  readonly volumes: readonly (readonly PackPlan[])[];
  /** Of documents on each volume, at most. */
  readonly fixedBytes: number;
  readonly listBytes: number;
}

const PLACEHOLDER = '0'.repeat(64);
/** An armoured signature by RSA-4096 has some 850 bytes. */
const SIGNATURE_BYTES = 4096;
/** A file's entries in volume.json and SHA256SUMS together. */
const FILE_ENTRY_BYTES = 300;

/**
 * Sizes of packs and volumes. The documents on each volume take room, and their size depends on the number of packs:
 * so it is tried with what the last try needed until that is enough.
 */
export async function planLayout(
  spool: Spool,
  sizes: Sizes,
  carried: { readonly root: RootWithoutLayout; readonly files: readonly CarriedFile[] },
): Promise<PlannedLayout> {
  let fixedBytes = 0;
  for (let round = 0; round < 12; round++) {
    const limits = layoutLimits({ ...sizes, fixedBytes });
    const { volumes, listBytes } = await fill(spool, limits);
    const needed = documentBytes(carried, { volumes, limits }, { spool, listBytes });
    if (needed <= fixedBytes) return { limits, volumes, fixedBytes, listBytes };
    fixedBytes = needed + Math.ceil(needed / 64);
  }
  throw new KubedosError(
    'usage.argument',
    `lay out volumes of ${sizes.volumeBytes} bytes: documents take most of them`,
    {
      hint: 'choose a larger --volume-size',
    },
  );
}

async function fill(
  spool: Spool,
  limits: LayoutLimits,
): Promise<{ volumes: readonly (readonly PackPlan[])[]; listBytes: number }> {
  const layout = new Layout(limits);
  let listBytes = 0;
  const add = (member: PackMember): void => {
    const bytes = contentsLine(member, 0).length;
    layout.add(member.sizeBytes, bytes);
    listBytes += bytes;
  };
  for await (const refs of readSpool(spool)) {
    for (const ref of refs) {
      const sizes = extentSizes(ref.sizeBytes, limits.packBytes);
      if (sizes === undefined) add({ ...ref, extent: null });
      for (const [index, sizeBytes] of (sizes ?? []).entries()) {
        add({ sha256: PLACEHOLDER, sizeBytes, extent: { object: ref.sha256, index } });
      }
    }
  }
  return { volumes: layout.finish(), listBytes };
}

function documentBytes(
  carried: { readonly root: RootWithoutLayout; readonly files: readonly CarriedFile[] },
  { volumes, limits }: Pick<PlannedLayout, 'volumes' | 'limits'>,
  { spool, listBytes }: { readonly spool: Spool; readonly listBytes: number },
): number {
  const root = completeRoot(carried.root, { volumes, limits }, { spool, sha256: PLACEHOLDER, sizeBytes: listBytes });
  const mostPacks = Math.max(...volumes.map((packs) => packs.length));
  // Each pack with two files of parity, and the documents.
  const files = 3 * mostPacks + carried.files.length + 4;
  const carriedBytes = carried.files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return canonicalJson(root).length + SIGNATURE_BYTES + listBytes + carriedBytes + files * FILE_ENTRY_BYTES;
}

export function completeRoot(
  root: RootWithoutLayout,
  { volumes, limits }: Pick<PlannedLayout, 'volumes' | 'limits'>,
  contents: { readonly spool: Spool; readonly sha256: Sha256; readonly sizeBytes: number },
): BundleRoot {
  const { spool, sha256, sizeBytes } = contents;
  return {
    ...root,
    contents: { sha256, sizeBytes, objects: spool.objects, bytes: spool.bytes },
    extentBytes: extentBytes(limits.packBytes),
    volumes: volumes.map((packs) => ({ packs })),
  };
}

/** Writes the contents list. Objects that are cut are read here once, for the hashes of their extents. */
export async function writeContents(
  objects: ObjectStore,
  spool: Spool,
  {
    limits,
    list,
    signal,
  }: { readonly limits: LayoutLimits; readonly list: LineFile; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const layout = new Layout(limits);
  const add = async (member: PackMember): Promise<void> => {
    const pack = layout.add(member.sizeBytes, 0);
    await list.add(contentsLine(member, pack));
  };
  for await (const refs of readSpool(spool)) {
    throwIfCancelled(signal, 'export');
    for (const ref of refs) {
      const sizes = extentSizes(ref.sizeBytes, limits.packBytes);
      if (sizes === undefined) {
        await add({ ...ref, extent: null });
        continue;
      }
      for (const [index, extent] of (await hashExtents(objects, ref.sha256, { sizes, signal })).entries()) {
        await add({ ...extent, extent: { object: ref.sha256, index } });
      }
    }
  }
}

/** Reads a large object once, hashing it as a whole too: what is cut must be sound. */
async function hashExtents(
  objects: ObjectStore,
  object: Sha256,
  { sizes, signal }: { readonly sizes: readonly number[]; readonly signal: AbortSignal | undefined },
): Promise<ObjectRef[]> {
  const whole = createHash('sha256');
  const extents: ObjectRef[] = [];
  let start = 0;
  for (const sizeBytes of sizes) {
    throwIfCancelled(signal, 'export');
    const digest = createHash('sha256');
    const source = await objects.open(object, { start, end: start + sizeBytes });
    if (source === undefined) throw new KubedosError('store.bad-object', `export object ${object}: it went away`);
    for await (const chunk of source as AsyncIterable<Buffer>) {
      digest.update(chunk);
      whole.update(chunk);
    }
    extents.push({ sha256: digest.digest('hex'), sizeBytes });
    start += sizeBytes;
  }
  const got = whole.digest('hex');
  if (got !== object) throw damagedObject(object, got);
  return extents;
}

/** An object of this store that is not what its name says. */
export function damagedObject(sha256: Sha256, got: string): KubedosError {
  return new KubedosError('store.bad-object', `export object ${sha256}: its bytes hash to ${got}`, {
    hint: 'fetch it again with `kubedos store repair`, then run the same command',
    details: { sha256 },
  });
}
