/** What the advisories of rpm repositories say of packages that are new in a snapshot. */
import { compressionOf, decompress } from '../formats/compression.ts';
import { inFolder, MAX_REPOMD_BYTES, repositoryOf } from '../formats/rpm/layout.ts';
import { showNevra } from '../formats/rpm/package.ts';
import { quickestRecord } from '../formats/rpm/quickest-record.ts';
import { parseRepomd } from '../formats/rpm/repomd.ts';
import { cvesOf, parseUpdateinfo, type Update } from '../formats/rpm/updateinfo.ts';
import { lookupPath } from '../store/manifest.ts';
import type { ObjectStore, Sha256 } from '../store/types.ts';
import type { PackageChange } from './package-pairs.ts';

export interface AdvisoryChange {
  readonly id: string;
  /** `security`, `bugfix`, `enhancement`, `newpackage`, …; empty where it is not told. */
  readonly type: string;
  readonly severity: string | null;
  readonly title: string;
  /** Sorted. */
  readonly cves: readonly string[];
  /** NEVRA of those that are new, sorted. */
  readonly packages: readonly string[];
}

/** An updateinfo of 500,000 advisories; a bomb is stopped here. */
const MAX_UPDATEINFO_BYTES = 4 * 1024 ** 3;

/** Advisories that name what came, by changed repositories alone. Security first, then by id. */
export async function newAdvisories(
  objects: ObjectStore,
  root: Sha256,
  of: { readonly packages: readonly PackageChange[]; readonly paths: readonly string[] },
): Promise<AdvisoryChange[]> {
  const came = new Set(
    of.packages.flatMap(({ kind, name, architecture, after }) =>
      after === null || kind === 'moved' ? [] : [`${name}-${after.version}.${architecture}`],
    ),
  );
  if (came.size === 0) return [];
  const found = new Map<string, AdvisoryChange>();
  for (const path of of.paths) {
    const folder = repositoryOf(path);
    if (folder === undefined) continue;
    for await (const update of updatesOf(objects, root, { path, folder })) {
      const packages = update.collections
        .flatMap((each) => each.packages.map(showNevra))
        .filter((each) => came.has(each));
      if (packages.length > 0) found.set(update.id, merged(found.get(update.id), update, packages));
    }
  }
  const rank = ({ type }: AdvisoryChange): number => Number(type !== 'security');
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || compareTexts(a.id, b.id));
}

/** The same advisory comes in several repositories, and again with other packages. */
function merged(before: AdvisoryChange | undefined, update: Update, packages: readonly string[]): AdvisoryChange {
  const { id, type, severity, title } = update;
  const union = (a: readonly string[] = [], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort();
  return {
    id,
    type,
    severity: severity ?? null,
    title,
    cves: union(before?.cves, cvesOf(update)),
    packages: union(before?.packages, packages),
  };
}

async function* updatesOf(
  objects: ObjectStore,
  root: Sha256,
  { path, folder }: { readonly path: string; readonly folder: string },
): AsyncGenerator<Update> {
  const repomd = await lookupPath(objects, root, path);
  const document = repomd && (await objects.read(repomd.sha256, MAX_REPOMD_BYTES));
  if (document === undefined) return;
  const record = quickestRecord((await parseRepomd(document, path)).records, 'updateinfo');
  const file = record && (await lookupPath(objects, root, inFolder(folder, record.path)));
  const bytes = file && (await objects.open(file.sha256));
  if (file === undefined || bytes === undefined) return;
  const limits = { origin: file.path, maxBytes: MAX_UPDATEINFO_BYTES };
  yield* parseUpdateinfo(decompress(bytes, compressionOf(file.path), limits), file.path);
}

const compareTexts = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
