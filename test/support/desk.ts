/** What is to be seen of a data folder and a medium, before and after something was done to them. */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { checkStore } from '../../src/store/check.ts';
import { scrubStore } from '../../src/store/scrub.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { openHouse } from '../../src/wiring.ts';
import { filesBelow } from './bundle-pair.ts';

/** What an unfinished volume may hold beside whole files. */
const UNFINISHED = /\.part$|^journal\.txt$/;

/** A data folder and a medium, to be worked on. */
export interface Desk {
  readonly data: string;
  readonly media: string;
}
/** Everything that is to be seen, by name: channels, mirrors, snapshots, objects, files on the medium, the catalog. */
export type Sight = ReadonlyMap<string, string>;

export async function withStore<T>(data: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(data);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export async function look({ data, media }: Desk): Promise<Sight> {
  const seen = new Map<string, string>();
  await withStore(data, async (store) => {
    for (const { name, manifest } of await store.heads.list()) seen.set(`mirror ${name}`, manifest.root);
    for (const { name, snapshot } of await store.channels.list()) seen.set(`channel ${name}`, snapshot);
    for (const id of await store.snapshots.list()) seen.set(`snapshot ${id}`, 'there');
    for await (const { sha256, sizeBytes } of store.objects.list()) seen.set(`object ${sha256}`, String(sizeBytes));
  });
  const catalog = openCatalog(join(data, 'catalog.sqlite'));
  for (const { mirror, root } of catalog.recordedMirrors()) seen.set(`catalog of ${mirror}`, root);
  catalog.close();
  for (const name of await filesBelow(media)) seen.set(name, hash('sha256', await readFile(join(media, name))));
  return seen;
}

/** After a kill or a full disk: everything is the old one or the new one, and the store is whole. True: all is new. */
export async function expectOldOrNew(
  desk: Desk,
  { before, after }: { readonly before: Sight; readonly after: Sight },
): Promise<boolean> {
  const now = await look(desk);
  for (const name of new Set([...before.keys(), ...after.keys(), ...now.keys()])) {
    if (UNFINISHED.test(name.split('/').at(-1) ?? '')) continue;
    expect([before.get(name), after.get(name)], name).toContain(now.get(name));
  }
  await expectWhole(desk.data);
  return [...now].every(([name, value]) => after.get(name) === value);
}

/** `store check` and `store scrub` find nothing. */
export async function expectWhole(data: string): Promise<void> {
  const house = openHouse(data);
  const verify = (bytes: Uint8Array, signature: string, id: string) => house.verifySnapshot(bytes, signature, id);
  await withStore(data, async (store) => {
    expect((await checkStore(store, { verify })).findings).toEqual([]);
    expect((await scrubStore(store)).bad).toEqual([]);
  });
  await house.close();
}
