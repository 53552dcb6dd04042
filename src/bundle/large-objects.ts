/**
 * Objects that come in extents, over several packs and volumes, in any order: written into one file in partial/, with a
 * journal beside it. Whole at last, hashed once more, and moved into the store.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { Sha256, Store } from '../store/types.ts';
import { hashHandle } from './contents-file.ts';
import type { PackMember } from './types.ts';

interface Assembly {
  readonly held: boolean;
  readonly file: string;
  /** Extents that are in the file, durable. */
  readonly done: Set<number>;
  /** What the list says: index → size. */
  readonly sizes: Map<number, number>;
}

export interface ExtentOf {
  readonly object: Sha256;
  readonly index: number;
}

export class LargeObjects {
  readonly #store: Store;
  readonly #assemblies = new Map<Sha256, Promise<Assembly>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Registers the extent too; every extent must be asked for before the first is written. */
  async isNeeded(member: PackMember, { object, index }: ExtentOf): Promise<boolean> {
    const assembly = await this.#assembly(object);
    assembly.sizes.set(index, member.sizeBytes);
    return !assembly.held && !assembly.done.has(index);
  }

  /** A promise is kept, not the assembly: several extents of one object are asked for at once. */
  #assembly(object: Sha256): Promise<Assembly> {
    const known = this.#assemblies.get(object);
    if (known !== undefined) return known;
    const assembly = this.#load(object);
    this.#assemblies.set(object, assembly);
    return assembly;
  }

  async #load(object: Sha256): Promise<Assembly> {
    const held = (await this.#store.objects.stat(object)) !== undefined && !this.#store.bad.has(object);
    const file = await this.#store.file('partial', `bundle-${object}`);
    return { held, file, done: held ? new Set() : await readJournal(file), sizes: new Map() };
  }

  /** True if the bytes have the hash that the list says; then they are durable. `extentBytes` places them. */
  async write(
    member: PackMember,
    { object, index }: ExtentOf,
    source: { readonly chunks: AsyncIterable<Buffer>; readonly extentBytes: number },
  ): Promise<boolean> {
    const assembly = await this.#assembly(object);
    const digest = createHash('sha256');
    let at = index * source.extentBytes;
    await withFile(assembly.file, 'a', async () => undefined);
    await withFile(assembly.file, 'r+', async (handle) => {
      for await (const chunk of source.chunks) {
        digest.update(chunk);
        await handle.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      }
      await handle.datasync();
    });
    if (digest.digest('hex') !== member.sha256) return false;
    await withFile(`${assembly.file}.journal`, 'a', async (handle) => {
      await handle.writeFile(`\n${index} ${member.sha256}\n`);
      await handle.sync();
    });
    assembly.done.add(index);
    return true;
  }

  /** Moves every object that is whole into the store; `bundle.invalid` where extents that fit the list make another object. */
  async finish(): Promise<void> {
    for (const [object, assembly] of this.#assemblies) {
      const { held, file, done, sizes } = await assembly;
      if (held || done.size < sizes.size) continue;
      const sizeBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const sha256 = await withFile(file, 'r', (handle) => hashHandle(handle, sizeBytes));
      const { size } = await stat(file);
      if (sha256 !== object || size !== sizeBytes) {
        await this.#discard(file);
        throw new KubedosError('bundle.invalid', `join object ${object}: its extents make ${sha256} of ${size} bytes`, {
          hint: 'import again; if that happens twice the sender made a wrong bundle',
        });
      }
      await this.#store.objects.adopt(file, { sha256: object, sizeBytes });
      await this.#store.objects.flush();
      await this.#discard(file);
      this.#assemblies.delete(object);
    }
  }

  /** The file itself may have moved into the store. */
  async #discard(file: string): Promise<void> {
    await rm(`${file}.journal`, { force: true });
    await rm(file, { force: true });
  }
}

const LINE = /^(\d{1,4}) [0-9a-f]{64}$/;

/** Without the file its journal means nothing. */
async function readJournal(file: string): Promise<Set<number>> {
  try {
    await stat(file);
    const lines = (await readFile(`${file}.journal`, 'latin1')).split('\n');
    return new Set(
      lines
        .map((line) => LINE.exec(line)?.[1])
        .filter((index) => index !== undefined)
        .map(Number),
    );
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storageError(`read ${file}`, error);
    await rm(`${file}.journal`, { force: true });
    return new Set();
  }
}

async function withFile<T>(file: string, flags: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    const handle = await open(file, flags, 0o644);
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageError(`write ${file}`, error);
  }
}
