/** The objects that a bundle carries, as two lists on disk in the order of packs: lists and evidence first, then the rest. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../errors.ts';
import type { ObjectRef, Store } from '../store/types.ts';
import type { Needed } from './collect.ts';
import { LineFile, readLines } from './lines.ts';

const MAX_LINE_BYTES = 64 + 1 + 16 + 1;
const LOOK_AHEAD = 64;

export interface Spool {
  readonly files: readonly string[];
  readonly objects: number;
  readonly bytes: number;
}

/** Proves on the way that each object is there with its size and not known as damaged: what is missing cannot be sent. */
export async function spoolNeeded(store: Store, folder: string, needed: AsyncIterable<Needed>): Promise<Spool> {
  const names = [join(folder, 'lists.txt'), join(folder, 'objects.txt')];
  const [lists, objects] = await Promise.all(names.map((name) => LineFile.create(name)));
  if (lists === undefined || objects === undefined) throw new KubedosError('internal.bug', 'spool without files');
  let count = 0;
  let bytes = 0;
  let batch: Needed[] = [];
  const drain = async (): Promise<void> => {
    await Promise.all(batch.map((one) => requireSound(store, one)));
    for (const { sha256, sizeBytes, metadata } of batch) {
      await (metadata ? lists : objects).add(`${sha256} ${sizeBytes}\n`);
      count += 1;
      bytes += sizeBytes;
    }
    batch = [];
  };
  try {
    for await (const one of needed) {
      batch.push(one);
      if (batch.length >= LOOK_AHEAD) await drain();
    }
    await drain();
  } finally {
    await Promise.all([lists.close(), objects.close()]);
  }
  return { files: names, objects: count, bytes };
}

async function requireSound(store: Store, { sha256, sizeBytes }: ObjectRef): Promise<void> {
  const there = await store.objects.stat(sha256);
  const bad = store.bad.has(sha256);
  if (there?.sizeBytes === sizeBytes && !bad) return;
  const got = there === undefined ? 'is missing' : bad ? 'is known as damaged' : `has ${there.sizeBytes} bytes`;
  throw new KubedosError('store.bad-object', `export object ${sha256}: ${got}, expected ${sizeBytes} sound bytes`, {
    hint: '`kubedos store check` names what is wrong, `kubedos store repair` fetches it again',
    details: { sha256 },
  });
}

export async function* readSpool(spool: Spool): AsyncGenerator<ObjectRef[]> {
  for (const file of spool.files) {
    const handle = await open(file, 'r').catch((error: unknown) => {
      throw storageError(`read ${file}`, error);
    });
    try {
      for await (const lines of readLines(handle, file, { maxLineBytes: MAX_LINE_BYTES })) {
        yield lines.map((line) => ({ sha256: line.slice(0, 64), sizeBytes: Number(line.slice(65)) }));
      }
    } finally {
      await handle.close();
    }
  }
}
