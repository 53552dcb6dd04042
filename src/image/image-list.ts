/** The images of a store: lists that `bake` wrote, as they are now or as a snapshot holds them. */
import { KubedosError } from '../errors.ts';
import { readManifest } from '../store/manifest.ts';
import type { ManifestEntry, ManifestRef, ObjectStore, Snapshot, Store } from '../store/types.ts';

const PREFIX = 'image-';

/** The list that a recipe's artifacts are on. */
export function imageName(recipe: string): string {
  return `${PREFIX}${recipe}`;
}

/** What tells of an image what it was made of. */
export function provenanceName(recipe: string): string {
  return `${recipe}.provenance.json`;
}

export interface Image {
  /** Of the list. */
  readonly name: string;
  readonly recipe: string;
  /** By path. */
  readonly entries: ReadonlyMap<string, ManifestEntry>;
}

/** Sorted by name. Without a snapshot: the newest of each. */
export async function listImages(store: Pick<Store, 'objects' | 'heads'>, snapshot?: Snapshot): Promise<Image[]> {
  const lists = snapshot?.document.mirrors ?? (await store.heads.list());
  const images = lists.filter(
    ({ name, kind, form }) => name.startsWith(PREFIX) && kind === 'files' && form === 'local',
  );
  return Promise.all(images.map((list) => readImage(store.objects, list)));
}

async function readImage(
  objects: ObjectStore,
  { name, manifest }: { readonly name: string; readonly manifest: ManifestRef },
): Promise<Image> {
  const entries = new Map<string, ManifestEntry>();
  for await (const entry of readManifest(objects, manifest.root)) entries.set(entry.path, entry);
  return { name, recipe: name.slice(PREFIX.length), entries };
}

export interface FoundArtifact {
  readonly image: Image;
  /** One of its files; undefined where the reference names the image. */
  readonly path: string | undefined;
}

/** `node`, `image-node`, `node.raw` and `image-node/node.raw`; `store.not-found` says what there is. */
export function findArtifact(images: readonly Image[], reference: string): FoundArtifact {
  const [list = '', ...rest] = reference.split('/');
  const image = images.find(({ name, recipe }) => [name, recipe].includes(list));
  if (image !== undefined && rest.length === 0) return { image, path: undefined };
  const holders = image === undefined ? images : [image];
  const path = image === undefined ? reference : rest.join('/');
  const found = holders.filter(({ entries }) => entries.has(path));
  if (found.length === 1) return { image: found[0] as Image, path };
  const where = found.map(({ name }) => `${name}/${path}`);
  if (found.length > 1)
    throw new KubedosError('usage.argument', `find artifact ${reference}: it is ${where.join(' or ')}`);
  const known = holders.flatMap(({ entries }) => [...entries.keys()]).filter((each) => !/\.(?:json|asc)$/.test(each));
  throw new KubedosError('store.not-found', `find artifact ${reference}: there is none of that name`, {
    hint: known.length > 0 ? `there are: ${known.join(', ')}` : 'make one with `kubedos bake`',
  });
}
