import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import { canonicalPath } from '../formats/path.ts';
import { BadObjectFolder } from './bad-objects.ts';
import { ChannelFolder } from './channels.ts';
import { DirectoryObjects } from './directory-objects.ts';
import { DocumentFolder, openSealed, sealDocument } from './documents.ts';
import { type FileSystem, fsyncFolder, nodeFileSystem } from './file-system.ts';
import { HeadFolder } from './heads.ts';
import { LabelFile } from './labels.ts';
import { type LockOptions, ProcessLock } from './lock.ts';
import { identitySchema, isoSeconds } from './schemas.ts';
import { SnapshotFolder } from './snapshots.ts';
import type { Store, StoreIdentity } from './types.ts';

/** Folders of a store; docs/operators.md says what is in each. */
const STORE_FOLDERS = [
  'objects',
  'heads',
  'snapshots',
  'channels',
  'bad',
  'lock',
  'partial',
  'tmp',
  'cache',
  'keys',
  'trust',
  'mirrors',
  'bundles',
] as const;
const IDENTITY_FILE = 'store.json';
/** Changes of single documents are done in milliseconds; beyond this somebody is stopped in the middle of one. */
const DOCUMENT_WAIT_MS = 10_000;

export interface InitOptions {
  readonly now: Date;
  /** UUID; a new one by default. */
  readonly id?: string | undefined;
  /** Another way to the disk, for tests that break it. */
  readonly files?: FileSystem | undefined;
}

/** Makes a store in a folder that is made too if need be, or holds none yet (`store.exists`). store.json comes last. */
export async function initStore(dir: string, { now, id, files = nodeFileSystem }: InitOptions): Promise<Store> {
  const root = resolve(dir);
  const identity: StoreIdentity = {
    format: 'kubedos-store/1',
    id: id ?? randomUUID(),
    generation: randomUUID(),
    created: isoSeconds(now),
  };
  try {
    await makeFolder(files, root);
    for (const name of STORE_FOLDERS) await makeFolder(files, join(root, name));
    await fsyncFolder(files, root);
  } catch (error) {
    throw storageError(`make a store in ${root}`, error);
  }
  const documents = new DocumentFolder(files, join(root, 'tmp'));
  const lock = new ProcessLock(join(root, 'lock', 'writer'), documents);
  try {
    await lock.hold('init', async () => {
      if (await documents.read(join(root, IDENTITY_FILE))) {
        throw new KubedosError('store.exists', `make a store in ${root}: there is one already`);
      }
      await documents.write(join(root, IDENTITY_FILE), sealDocument(identity));
    });
  } finally {
    lock.close();
  }
  return openStore(root, { files });
}

/** Opens the store in a folder (`store.none` if there is none). Reading takes no lock. */
export async function openStore(
  dir: string,
  { files = nodeFileSystem }: { readonly files?: FileSystem } = {},
): Promise<Store> {
  const root = resolve(dir);
  const documents = new DocumentFolder(files, join(root, 'tmp'));
  const bytes = await documents.read(join(root, IDENTITY_FILE));
  if (!bytes) {
    throw new KubedosError('store.none', `open store ${root}: there is no ${IDENTITY_FILE} in it`, {
      hint: 'make one with `kubedos init`, or name the right data folder',
    });
  }
  const identity = openSealed(bytes, identitySchema, `${IDENTITY_FILE} of ${root}`);
  // Copies of a store come without its empty folders; on a read-only disk nothing needs them.
  for (const name of STORE_FOLDERS) await makeFolder(files, join(root, name)).catch(() => undefined);
  return new DirectoryStore(root, { identity, documents, files });
}

class DirectoryStore implements Store {
  readonly dir: string;
  readonly identity: StoreIdentity;
  readonly objects: DirectoryObjects;
  readonly heads: HeadFolder;
  readonly snapshots: SnapshotFolder;
  readonly labels: LabelFile;
  readonly channels: ChannelFolder;
  readonly bad: BadObjectFolder;
  readonly #files: FileSystem;
  readonly #writer: ProcessLock;
  readonly #documentLock: ProcessLock;

  constructor(
    dir: string,
    parts: { readonly identity: StoreIdentity; readonly documents: DocumentFolder; readonly files: FileSystem },
  ) {
    const { identity, documents, files } = parts;
    this.dir = dir;
    this.identity = identity;
    this.#files = files;
    this.#writer = new ProcessLock(join(dir, 'lock', 'writer'), documents);
    // Channels move while a sync, which holds the writer's lock for hours, goes on.
    const lock = new ProcessLock(join(dir, 'lock', 'documents'), documents, { waitMs: DOCUMENT_WAIT_MS });
    this.#documentLock = lock;
    this.bad = new BadObjectFolder(join(dir, 'bad'), files);
    const objects = new DirectoryObjects(dir, files, this.bad);
    const labels = new LabelFile(join(dir, 'labels.json'), documents, lock);
    const channels = new ChannelFolder(join(dir, 'channels'), {
      documents,
      lock,
      findSnapshot: (id) => this.snapshots.read(id),
    });
    this.objects = objects;
    this.labels = labels;
    this.channels = channels;
    this.heads = new HeadFolder(join(dir, 'heads'), documents, objects, lock);
    this.snapshots = new SnapshotFolder(join(dir, 'snapshots'), {
      identity,
      documents,
      objects,
      labels,
      channels,
      lock,
    });
  }

  withWriter<T>(command: string, work: () => Promise<T>, options?: LockOptions): Promise<T> {
    return this.#writer.hold(command, work, options);
  }

  async file(area: (typeof STORE_FOLDERS)[number], ...names: string[]): Promise<string> {
    const path = [area, ...(names.length === 0 ? [] : canonicalPath(names.join('/'), `file in ${area}`).split('/'))];
    try {
      const depths = names.length === 0 ? 1 : path.length - 1;
      for (let depth = 1; depth <= depths; depth++) {
        await makeFolder(this.#files, join(this.dir, ...path.slice(0, depth)));
      }
    } catch (error) {
      throw storageError(`make a folder in ${area}`, error);
    }
    return join(this.dir, ...path);
  }

  async close(): Promise<void> {
    try {
      await this.objects.flush();
    } finally {
      this.#writer.close();
      this.#documentLock.close();
    }
  }
}

async function makeFolder(files: FileSystem, folder: string): Promise<void> {
  try {
    await files.mkdir(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return;
    if (errno !== 'ENOENT') throw error;
    await makeFolder(files, join(folder, '..'));
    await files.mkdir(folder);
  }
}
