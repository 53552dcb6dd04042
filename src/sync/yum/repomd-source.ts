/** Gets repomd.xml and its signature from upstream, unverified but for what a metalink says. */
import { KubedosError } from '../../errors.ts';
import { inFolder, MAX_REPOMD_BYTES } from '../../formats/rpm/layout.ts';
import type { DocumentAnswer, Fetcher } from '../../net/types.ts';
import type { RootMemory } from '../memory.ts';
import { validatorsOf } from '../root-memory.ts';
import type { FetchedRoot } from '../upstream-root.ts';
import { acceptedAt, type FoundMirrors } from './mirror-list.ts';
import { type RepositoryRequest, remotePath } from './repositories.ts';

const MAX_SIGNATURE_BYTES = 1024 * 1024;
/** So many mirrors are asked for the state that a metalink calls the current one; then an older one that it accepts will do. */
const MIRRORS_ASKED = 8;

export interface RepomdSource {
  readonly fetcher: Fetcher;
  readonly signal?: AbortSignal | undefined;
  readonly mirrors: FoundMirrors;
}

/** One request and no more where upstream says that nothing changed since `known`; none where a metalink does. */
export async function fetchRepomd(
  request: RepositoryRequest,
  from: RepomdSource,
  known?: RootMemory,
): Promise<FetchedRoot> {
  const { accepted } = from.mirrors;
  if (known !== undefined && accepted?.[0]?.hashes.sha256 === known.document) return { form: 'unchanged' };
  const found =
    accepted === undefined ? await fromAny(request, from, known) : await fromAccepted(request, from, accepted);
  const { repomd, urls } = found;
  if (repomd.status === 'unchanged') return { form: 'unchanged' };
  if (repomd.status !== 'ok')
    throw new KubedosError('net.not-found', `sync ${request.source}: upstream has no repodata/repomd.xml there`, {
      hint: 'check url:, repositories:, releasever: and architectures: in the spec',
    });
  const { bytes: document, validators } = repomd;
  if (!request.upstream.verify.includes('metadata')) return { form: 'detached', document, signature: null, validators };
  const signature = await get(request, { ...from, urls }, { name: 'repomd.xml.asc', maxBytes: MAX_SIGNATURE_BYTES });
  if (signature.status !== 'ok')
    throw new KubedosError('trust.unsigned', `sync ${request.source}: repomd.xml has no signature (repomd.xml.asc)`, {
      hint: 'if upstream signs its packages alone, set `verify: [packages]` in the spec',
    });
  return { form: 'detached', document, signature: signature.bytes, validators };
}

interface Found {
  readonly repomd: DocumentAnswer;
  /** Where it is from: its signature is asked for there. */
  readonly urls: readonly string[];
}

async function fromAny(request: RepositoryRequest, from: RepomdSource, known: RootMemory | undefined): Promise<Found> {
  const { urls } = from.mirrors;
  const validators = known && validatorsOf(known);
  const repomd = await get(request, { ...from, urls }, { name: 'repomd.xml', maxBytes: MAX_REPOMD_BYTES, validators });
  return { repomd, urls };
}

/** Mirrors are behind one another: the first that has what the metalink calls current, else what it still accepts. */
async function fromAccepted(
  request: RepositoryRequest,
  from: RepomdSource,
  accepted: NonNullable<FoundMirrors['accepted']>,
): Promise<Found> {
  let best: (Found & { readonly at: number }) | undefined;
  let failure: unknown;
  for (const url of from.mirrors.urls.slice(0, MIRRORS_ASKED)) {
    try {
      const urls = [url];
      const repomd = await get(request, { ...from, urls }, { name: 'repomd.xml', maxBytes: MAX_REPOMD_BYTES });
      if (repomd.status !== 'ok') continue;
      const at = acceptedAt(repomd.bytes, accepted);
      if (at === 0) return { repomd, urls };
      if (at > 0 && (best === undefined || at < best.at)) best = { repomd, urls, at };
    } catch (error) {
      if (!(error instanceof KubedosError) || error.kind !== 'upstream') throw error;
      failure = error;
    }
  }
  if (best !== undefined) return best;
  throw new KubedosError(
    'net.hash-mismatch',
    `sync ${request.source}: none of ${Math.min(MIRRORS_ASKED, from.mirrors.urls.length)} mirrors has a repomd.xml that the metalink vouches for`,
    { hint: 'mirrors may be behind: try again later', retryable: true, cause: failure },
  );
}

function get(
  request: RepositoryRequest,
  { fetcher, signal, urls }: Omit<RepomdSource, 'mirrors'> & { readonly urls: readonly string[] },
  wanted: { readonly name: string } & Omit<Parameters<Fetcher['document']>[2], 'signal'>,
): Promise<DocumentAnswer> {
  const { name, ...options } = wanted;
  const path = remotePath(request, inFolder(request.folder, `repodata/${name}`));
  return fetcher.document(urls, path, { ...options, signal });
}
