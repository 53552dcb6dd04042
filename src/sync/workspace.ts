/** Where a sync puts things: the store, or for a dry run a folder that goes with it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initStore } from '../store/store.ts';
import type { ObjectStore } from '../store/types.ts';
import { ObjectSource } from './object-source.ts';
import { OverlayObjects } from './overlay-objects.ts';
import type { SyncDeps } from './types.ts';

export interface Workspace {
  readonly objects: ObjectStore;
  readonly source: ObjectSource;
  /** For what is sorted or indexed on the way. */
  readonly scratch: string;
}

/** Runs `work` as the writer of the store or, for a dry run, beside it. */
export async function withWorkspace<T>(
  deps: Pick<SyncDeps, 'store' | 'fetcher' | 'now'>,
  options: { readonly command: string; readonly dryRun: boolean },
  work: (space: Workspace) => Promise<T>,
): Promise<T> {
  const { store } = deps;
  if (options.dryRun) return withThrowaway(deps, work);
  return store.withWriter(options.command, async () => {
    const partialFolder = await store.file('partial', 'x').then((file) => join(file, '..'));
    return work({
      objects: store.objects,
      source: newSource(deps, store.objects, partialFolder),
      scratch: await store.file('tmp'),
    });
  });
}

async function withThrowaway<T>(
  deps: Pick<SyncDeps, 'store' | 'fetcher' | 'now'>,
  work: (space: Workspace) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kubedos-dry-run-'));
  try {
    const top = await initStore(join(folder, 'store'), { now: deps.now() });
    const objects = new OverlayObjects(deps.store.objects, top.objects);
    const partialFolder = join(folder, 'partial');
    await mkdir(partialFolder);
    try {
      return await work({ objects, source: newSource(deps, objects, partialFolder), scratch: folder });
    } finally {
      await top.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function newSource(
  { store, fetcher }: Pick<SyncDeps, 'store' | 'fetcher'>,
  objects: ObjectStore,
  partialFolder: string,
): ObjectSource {
  return new ObjectSource({ objects, fetcher, partialFolder, isBad: (sha256) => store.bad.has(sha256) });
}
