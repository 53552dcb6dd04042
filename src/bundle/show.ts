/** The last step of an import: what is verified and durable becomes visible. */
import { KubedosError } from '../errors.ts';
import { isoSeconds } from '../store/schemas.ts';
import type { MirrorHead, Store } from '../store/types.ts';
import type { CarriedSnapshot } from './carried-snapshots.ts';
import type { Bundle } from './types.ts';

export interface Shown {
  /** Channels that moved. */
  readonly channels: readonly { readonly name: string; readonly from: string | null; readonly to: string }[];
  /** Mirrors whose head is now the imported state. */
  readonly heads: readonly string[];
  /** Mirrors of that name which this store syncs or fills itself: their heads stay. */
  readonly keptHeads: readonly string[];
}

/**
 * Snapshots first, which nothing names yet; then heads; then each channel in one step. Whoever reads a channel sees the
 * old state or the new one. Killed in between, the same import goes on from there.
 */
export async function showImport(
  store: Store,
  { bundle, snapshots }: { readonly bundle: Bundle; readonly snapshots: readonly CarriedSnapshot[] },
  now: Date,
): Promise<Shown> {
  await store.objects.flush();
  for (const { bytes, signature } of snapshots) await store.snapshots.insert(bytes, signature);
  const { heads, keptHeads } = await setHeads(store, { bundle, snapshots }, now);
  const channels: { name: string; from: string | null; to: string }[] = [];
  for (const [name, to] of Object.entries(bundle.root.channels)) {
    const before = (await store.channels.read(name))?.snapshot;
    if (before === to) continue;
    await store.channels.move(name, to, { now, expected: before });
    channels.push({ name, from: before ?? null, to });
  }
  return { channels, heads, keptHeads };
}

/**
 * Heads let the dark side list, search and snapshot imported mirrors together with its own. They follow the newest
 * snapshot carried, and never touch a mirror that this store makes itself.
 */
async function setHeads(
  store: Store,
  { bundle, snapshots }: { readonly bundle: Bundle; readonly snapshots: readonly CarriedSnapshot[] },
  now: Date,
): Promise<{ heads: string[]; keptHeads: string[] }> {
  const newest = snapshots.at(-1);
  if (newest === undefined) throw new KubedosError('internal.bug', 'show an import without snapshots');
  const heads: string[] = [];
  const keptHeads: string[] = [];
  for (const mirror of newest.document.mirrors) {
    const before = await store.heads.read(mirror.name);
    if (before !== undefined && before.memory.importedFrom !== bundle.root.store) {
      keptHeads.push(mirror.name);
      continue;
    }
    if (before?.manifest.root === mirror.manifest.root) continue;
    const { name, kind, form, manifest, evidence } = mirror;
    const memory = { importedFrom: bundle.root.store, snapshot: newest.id };
    const head: MirrorHead = {
      format: 'kubedos-head/1',
      name,
      kind,
      form,
      manifest,
      evidence,
      time: isoSeconds(now),
      spec: null,
      memory,
    };
    await store.heads.write(head, before?.manifest.root);
    heads.push(name);
  }
  return { heads, keptHeads };
}
