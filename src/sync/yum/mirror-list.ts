/** Finds the mirrors of a repository: what its metalink or mirrorlist says now. */
import { hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { MAX_MIRRORS_BYTES } from '../../formats/rpm/layout.ts';
import type { AcceptedRepomd } from '../../formats/rpm/metalink.ts';
import type { ChecksumAlgorithm } from '../../formats/rpm/repomd.ts';
import type { Fetcher } from '../../net/types.ts';
import type { MirrorList, RepositoryRequest } from './repositories.ts';

export interface FoundMirrors {
  readonly urls: readonly string[];
  /** Of a metalink: what it vouches for, the current state first. */
  readonly accepted?: readonly AcceptedRepomd[] | undefined;
}

/** `net.not-found` where there is no such list. */
export async function findMirrors(
  { urls, list, source }: RepositoryRequest,
  { fetcher, signal }: { readonly fetcher: Fetcher; readonly signal?: AbortSignal | undefined },
): Promise<FoundMirrors> {
  if (list === undefined) return { urls };
  const [root, path] = splitUrl(list);
  const answer = await fetcher.document([root], path, { maxBytes: MAX_MIRRORS_BYTES, signal });
  if (answer.status !== 'ok')
    throw new KubedosError('net.not-found', `sync ${source}: there is no such ${list.kind}`, {
      hint: `check ${list.kind}:, releasever: and architectures: in the spec`,
    });
  const origin = `${source} ${list.kind}`;
  const { parseMetalink, parseMirrorlist } = await import('../../formats/rpm/metalink.ts');
  return list.kind === 'metalink'
    ? parseMetalink(answer.bytes, origin)
    : { urls: parseMirrorlist(answer.bytes, origin) };
}

/** The fetcher keeps the query of a root, and puts the path before it. */
function splitUrl({ url }: MirrorList): [string, string] {
  const { origin, pathname, search } = new URL(url);
  return [`${origin}/${search}`, decodeURIComponent(pathname.slice(1)) || '.'];
}

/** The strongest checksum decides; SHA-1 and MD5 vouch for nothing. */
const STRONG: readonly ChecksumAlgorithm[] = ['sha512', 'sha384', 'sha256'];

/** Place among the accepted states; -1: none of them. */
export function acceptedAt(document: Buffer, accepted: readonly AcceptedRepomd[]): number {
  return accepted.findIndex(({ hashes, sizeBytes }) => {
    const algorithm = STRONG.find((each) => hashes[each] !== undefined);
    if (algorithm === undefined || (sizeBytes !== undefined && sizeBytes !== document.length)) return false;
    return hash(algorithm, document, 'hex') === hashes[algorithm];
  });
}
