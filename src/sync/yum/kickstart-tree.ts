/** Installable trees: what a .treeinfo names beside the packages, as Anaconda boots it. */
import { posix } from 'node:path';
import { KubedosError } from '../../errors.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { treeFiles, treeVariants } from '../../formats/rpm/treeinfo.ts';
import { MAX_TREEINFO_BYTES, parseTreeinfo, type Treeinfo } from '../../formats/rpm/treeinfo-text.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import { judgeMissing } from '../missing.ts';
import { eachParallel } from '../parallel.ts';
import { sha256 } from '../root-memory.ts';
import type { SyncRun } from '../run-sync.ts';
import { note } from '../session.ts';
import { strongDigest } from './records.ts';
import { remotePath } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

/** Productmd writes the first, old installers look for the second. */
const NAMES = ['.treeinfo', 'treeinfo'];
/** .treeinfo gives no sizes: the largest image is a DVD. */
const MAX_IMAGE_BYTES = 64 * 1024 ** 3;
const PARALLEL_IMAGES = 8;
const REPOMD = 'repodata/repomd.xml';

interface WantedImage {
  readonly state: RepositoryState;
  /** From the root of the mirror. */
  readonly path: string;
  readonly checksum: Parameters<typeof strongDigest>[0];
}

/**
 * The entries of the trees: .treeinfo, and what it names, held against its checksums. Nobody signs it: it comes by https
 * or from a file, and must tell the repomd.xml that was verified, where it tells one. A dry run fetches no images.
 */
export async function bringTrees(run: SyncRun<YumKind>, states: readonly RepositoryState[]): Promise<ManifestEntry[]> {
  const { session, space } = run;
  const entries: ManifestEntry[] = [];
  const wanted: WantedImage[] = [];
  for (const state of states.filter(({ request }) => request.upstream.tree)) {
    const { name, bytes } = await fetchTreeinfo(run, state);
    const { folder, source } = state.request;
    entries.push({ path: inFolder(folder, name), ...(await space.objects.put([bytes])) });
    const tree = parseTreeinfo(bytes, `${source} ${name}`);
    noteNeighbours(run, states, { state, tree });
    wanted.push(...imagesOf(run, state, tree));
  }
  if (wanted.length === 0 || session.options.dryRun) return entries;
  const missing = new Set<string>();
  const meter = new Meter(session.run.onEvent, 'images', { files: wanted.length });
  await eachParallel(wanted, { limit: PARALLEL_IMAGES, signal: session.run.signal }, async (image, signal) => {
    const { state, path, checksum } = image;
    const wish = {
      path: remotePath(state.request, path),
      urls: safeUrls(state),
      sizeBytes: MAX_IMAGE_BYTES,
      sizeIsLimit: true,
      digest: strongDigest(checksum, path),
    };
    try {
      const brought = await space.source.bringByDigest(wish, { signal, onBytes: meter.onBytes });
      entries.push({ path, sha256: brought.sha256, sizeBytes: brought.sizeBytes });
    } catch (error) {
      if (!(error instanceof KubedosError) || error.code !== 'net.not-found') throw error;
      missing.add(path);
    }
    meter.file();
  });
  await judgeMissing(session, missing);
  return entries;
}

function safeUrls({ urls, request }: RepositoryState): string[] {
  const safe = urls.filter((url) => /^(?:https|file):/.test(url));
  if (safe.length > 0) return safe;
  throw new KubedosError('spec.invalid', `sync ${request.source}: no mirror of its tree is reached by https`, {
    hint: 'nobody signs a .treeinfo: give an url: of https, or leave `tree: true` out',
  });
}

async function fetchTreeinfo({ session }: SyncRun<YumKind>, state: RepositoryState) {
  const { request } = state;
  for (const name of NAMES) {
    const path = remotePath(request, inFolder(request.folder, name));
    const options = { maxBytes: MAX_TREEINFO_BYTES, signal: session.run.signal };
    const answer = await session.deps.fetcher.document(safeUrls(state), path, options);
    if (answer.status === 'ok') return { name, bytes: answer.bytes };
  }
  throw new KubedosError('net.not-found', `sync ${request.source}: there is no .treeinfo`, {
    hint: 'it is no installable tree: leave `tree: true` out',
  });
}

function imagesOf({ session }: SyncRun<YumKind>, state: RepositoryState, tree: Treeinfo): WantedImage[] {
  const { folder, source } = state.request;
  return treeFiles(tree, `${source} .treeinfo`).flatMap(({ path, checksum }) => {
    if (path === REPOMD) {
      if (checksum?.algorithm === 'sha256' && checksum.hex !== sha256(state.evidence.document))
        throw new KubedosError(
          'net.hash-mismatch',
          `sync ${source}: .treeinfo tells another repomd.xml than is there`,
          {
            hint: 'upstream may be changing: try again later',
            retryable: true,
          },
        );
      return [];
    }
    if (checksum !== undefined) return [{ state, path: inFolder(folder, path), checksum }];
    note(session, 'warn', `${session.spec.name}: .treeinfo gives no checksum for ${path}; left out`);
    return [];
  });
}

/** Variants of a tree may lie in other folders: an installer asks for these, too. */
function noteNeighbours(
  { session }: SyncRun<YumKind>,
  states: readonly RepositoryState[],
  of: { readonly state: RepositoryState; readonly tree: Treeinfo },
): void {
  const { folder, source } = of.state.request;
  for (const { uid, repository } of treeVariants(of.tree, `${source} .treeinfo`)) {
    if (repository === undefined) continue;
    const place = posix.normalize(posix.join(folder || '.', repository.written)).replace(/^\.\/?|\/+$/g, '');
    if (states.some(({ request }) => request.folder === place)) continue;
    note(
      session,
      'warn',
      `${session.spec.name}: variant ${uid} of the tree has its packages at ${repository.written}, which is not mirrored; add it to repositories:`,
    );
  }
}
