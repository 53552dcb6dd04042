import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { checkDocument, type DocumentFolder, openSealed, sealDocument } from './documents.ts';
import type { ProcessLock } from './lock.ts';
import { checkMirrorName, isMirrorName } from './names.ts';
import { headSchema } from './schemas.ts';
import type { Heads, MirrorHead, ObjectStore, Sha256 } from './types.ts';

/** heads/NAME.json */
export class HeadFolder implements Heads {
  readonly #folder: string;
  readonly #documents: DocumentFolder;
  readonly #objects: ObjectStore;
  readonly #lock: ProcessLock;

  constructor(folder: string, documents: DocumentFolder, objects: ObjectStore, lock: ProcessLock) {
    this.#folder = folder;
    this.#documents = documents;
    this.#objects = objects;
    this.#lock = lock;
  }

  async read(name: string): Promise<MirrorHead | undefined> {
    if (!isMirrorName(name)) return undefined;
    const bytes = await this.#documents.read(this.#file(name));
    if (!bytes) return undefined;
    const head = openSealed(bytes, headSchema, `head of mirror ${name}`);
    if (head.name === name) return head;
    throw new KubedosError('store.corrupt', `read head of mirror ${name}: it is that of ${head.name}`);
  }

  async list(): Promise<MirrorHead[]> {
    const heads = await Promise.all((await this.names()).map((name) => this.read(name)));
    return heads.filter((head) => head !== undefined);
  }

  /** Names alone, sorted, also of heads that cannot be read. */
  names(): Promise<string[]> {
    return this.#documents.names(this.#folder);
  }

  async write(head: MirrorHead, expectedRoot: Sha256 | undefined): Promise<void> {
    const file = this.#file(head.name);
    checkDocument({ ...head }, headSchema, `new head of mirror ${head.name}`);
    await this.#objects.flush();
    await requireObject(this.#objects, head.manifest.root, `write head of mirror ${head.name}`);
    await this.#lock.hold(`head ${head.name}`, async () => {
      const current = await this.read(head.name);
      if (current?.manifest.root !== expectedRoot) {
        throw new KubedosError(
          'store.raced',
          `write head of mirror ${head.name}: it is at ${current?.manifest.root ?? 'none'}, expected ${expectedRoot ?? 'none'}`,
          { hint: 'another process changed the mirror meanwhile: run the command again', retryable: true },
        );
      }
      await this.#documents.write(file, sealDocument(head));
    });
  }

  async remove(name: string): Promise<boolean> {
    const file = this.#file(name);
    return this.#lock.hold(`head ${name}`, () => this.#documents.remove(file));
  }

  #file(name: string): string {
    return join(this.#folder, `${checkMirrorName(name)}.json`);
  }
}

/** A list may be named only once its root is there. */
export async function requireObject(objects: ObjectStore, sha256: Sha256, action: string): Promise<void> {
  if (await objects.stat(sha256)) return;
  throw new KubedosError('store.not-found', `${action}: its manifest ${sha256} is not in the store`);
}
