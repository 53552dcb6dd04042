/** Gets repomd.xml and its signature from upstream, unverified. */
import { KubedosError } from '../../errors.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import { MAX_REPOMD_BYTES } from '../../formats/rpm/repomd.ts';
import type { Fetcher } from '../../net/types.ts';
import type { RootMemory } from '../memory.ts';
import { validatorsOf } from '../root-memory.ts';
import type { FetchedRoot } from '../upstream-root.ts';
import type { RepositoryRequest } from './repositories.ts';

const MAX_SIGNATURE_BYTES = 1024 * 1024;

/** One request and no more where upstream says that nothing changed since `known`. */
export async function fetchRepomd(
  request: RepositoryRequest,
  with_: { readonly fetcher: Fetcher; readonly signal?: AbortSignal | undefined },
  known?: RootMemory,
): Promise<FetchedRoot> {
  const get = (name: string, maxBytes: number, since?: RootMemory) =>
    with_.fetcher.document(request.urls, inFolder(request.folder, `repodata/${name}`), {
      maxBytes,
      validators: since && validatorsOf(since),
      signal: with_.signal,
    });
  const repomd = await get('repomd.xml', MAX_REPOMD_BYTES, known);
  if (repomd.status === 'unchanged') return { form: 'unchanged' };
  if (repomd.status !== 'ok')
    throw new KubedosError('net.not-found', `sync ${request.source}: upstream has no repodata/repomd.xml there`, {
      hint: 'check url:, repositories:, releasever: and architectures: in the spec',
    });
  const { bytes: document, validators } = repomd;
  if (!request.upstream.verify.includes('metadata')) return { form: 'detached', document, signature: null, validators };
  const signature = await get('repomd.xml.asc', MAX_SIGNATURE_BYTES);
  if (signature.status !== 'ok')
    throw new KubedosError('trust.unsigned', `sync ${request.source}: repomd.xml has no signature (repomd.xml.asc)`, {
      hint: 'if upstream signs its packages alone, set `verify: [packages]` in the spec',
    });
  return { form: 'detached', document, signature: signature.bytes, validators };
}
