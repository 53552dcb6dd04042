/** Which suites, components and architectures a mirror has: read from what lies beside its Release files. */
import { readManifest } from '../store/manifest.ts';
import type { ObjectStore, Sha256 } from '../store/types.ts';
import type { SuiteLayout } from './client-config.ts';

const RELEASE = /^(?:(.*)\/)?(?:In)?Release$/;
const INDEX = /^(.+)\/(?:binary-([^/]+)\/Packages|(source)\/Sources)(?:\.[a-z0-9]+)?$/;
const FLAT_INDEX = /^(?:(.*)\/)?Packages(?:\.[a-z0-9]+)?$/;

/**
 * Sorted by suite. What is there counts, not what a Release lists: a mirror of one architecture keeps the Release of
 * its upstream, which lists them all. Flat repositories are looked for where there is nothing below dists/.
 */
export async function suiteLayouts(objects: ObjectStore, root: Sha256): Promise<SuiteLayout[]> {
  const found = await hierarchical(objects, root);
  return found.length > 0 ? found : flat(objects, root);
}

interface Index {
  /** `dists/bookworm/main` */
  readonly folder: string;
  readonly architecture: string | undefined;
}

async function hierarchical(objects: ObjectStore, root: Sha256): Promise<SuiteLayout[]> {
  const suites: string[] = [];
  const indexes = new Map<string, Index>();
  for await (const { path } of readManifest(objects, root, { prefix: 'dists/' })) {
    if (path.includes('/by-hash/')) continue;
    const release = RELEASE.exec(path);
    const index = INDEX.exec(path);
    if (release?.[1] !== undefined && !isBesideIndex(release[1])) suites.push(release[1]);
    else if (index?.[1] !== undefined && !index[1].endsWith('/debian-installer'))
      indexes.set(`${index[1]} ${index[2] ?? ''}`, { folder: index[1], architecture: index[2] });
  }
  // The longest first: an index belongs to `stable/rolling` before it belongs to `stable`.
  const folders = [...new Set(suites)].sort((a, b) => b.length - a.length);
  const layouts = new Map(folders.map((folder) => [folder, emptyLayout()]));
  for (const { folder, architecture } of indexes.values()) {
    const suite = folders.find((candidate) => folder.startsWith(`${candidate}/`));
    const layout = suite === undefined ? undefined : layouts.get(suite);
    if (suite === undefined || layout === undefined) continue;
    layout.components.add(folder.slice(suite.length + 1));
    if (architecture === undefined) layout.sources = true;
    else if (architecture !== 'all') layout.architectures.add(architecture);
  }
  return [...layouts]
    .map(([folder, layout]) => ({
      suite: folder.slice('dists/'.length),
      components: [...layout.components].sort(),
      architectures: [...layout.architectures].sort(),
      sources: layout.sources,
    }))
    .filter(({ components }) => components.length > 0)
    .sort((a, b) => (a.suite < b.suite ? -1 : 1));
}

function emptyLayout() {
  return { components: new Set<string>(), architectures: new Set<string>(), sources: false };
}

/** Debian has a small file named Release in each folder of an index. */
function isBesideIndex(folder: string): boolean {
  return /\/(?:binary-[^/]+|source)$/.test(folder);
}

async function flat(objects: ObjectStore, root: Sha256): Promise<SuiteLayout[]> {
  const releases = new Set<string>();
  const indexes = new Set<string>();
  for await (const { path } of readManifest(objects, root)) {
    const release = RELEASE.exec(path);
    const index = FLAT_INDEX.exec(path);
    if (release) releases.add(release[1] ?? '.');
    else if (index) indexes.add(index[1] ?? '.');
  }
  const suites = [...releases].filter((folder) => indexes.has(folder)).sort();
  return suites.map((folder) => ({ suite: `${folder}/`, components: [], architectures: [], sources: false }));
}
