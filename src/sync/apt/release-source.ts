/** Gets the signed Release of a suite from upstream, unverified, in whichever form it is served. */
import { KubedosError } from '../../errors.ts';
import type { Fetcher, Validators } from '../../net/types.ts';
import type { RootMemory } from '../memory.ts';
import { validatorsOf } from '../root-memory.ts';
import type { FetchedRoot } from '../upstream-root.ts';

/** Debian's InRelease has 150 KB, Ubuntu's 300 KB. */
export const MAX_RELEASE_BYTES = 32 * 1024 * 1024;
const MAX_SIGNATURE_BYTES = 1024 * 1024;

export interface ReleaseAddress {
  readonly fetcher: Fetcher;
  readonly urls: readonly string[];
  /** See suiteFolder. */
  readonly folder: string;
  readonly source: string;
  readonly signal?: AbortSignal | undefined;
}

/** One request and no more where upstream says that nothing changed since `known`. */
export async function fetchRelease(at: ReleaseAddress, known?: RootMemory): Promise<FetchedRoot> {
  const get = (name: string, maxBytes: number, validators?: Validators) =>
    at.fetcher.document(at.urls, `${at.folder}${name}`, { maxBytes, validators, signal: at.signal });
  const since = known && validatorsOf(known);
  if (known?.form === 'detached') {
    const answer = await get('Release', MAX_RELEASE_BYTES, since);
    if (answer.status === 'unchanged') return { form: 'unchanged' };
  }
  const inline = await get('InRelease', MAX_RELEASE_BYTES, known?.form === 'inline' ? since : undefined);
  if (inline.status === 'unchanged') return { form: 'unchanged' };
  if (inline.status === 'ok') return { form: 'inline', document: inline.bytes, validators: inline.validators };
  const release = await get('Release', MAX_RELEASE_BYTES);
  if (release.status !== 'ok')
    throw new KubedosError('net.not-found', `sync ${at.source}: upstream has neither InRelease nor Release`, {
      hint: 'check url: and suites: in the spec',
    });
  const signature = await get('Release.gpg', MAX_SIGNATURE_BYTES);
  if (signature.status !== 'ok')
    throw new KubedosError(
      'trust.unsigned',
      `sync ${at.source}: there is a Release, but neither InRelease nor Release.gpg`,
      {
        hint: 'an unsigned repository is not mirrored',
      },
    );
  return { form: 'detached', document: release.bytes, signature: signature.bytes, validators: release.validators };
}

export interface DetachedCopy {
  readonly release: Buffer;
  readonly signature: Buffer;
}

/** Release and Release.gpg beside an InRelease, for old clients; absent where upstream serves InRelease alone. */
export async function fetchDetachedCopy(at: ReleaseAddress): Promise<DetachedCopy | undefined> {
  const [release, signature] = await Promise.all([
    at.fetcher.document(at.urls, `${at.folder}Release`, { maxBytes: MAX_RELEASE_BYTES, signal: at.signal }),
    at.fetcher.document(at.urls, `${at.folder}Release.gpg`, { maxBytes: MAX_SIGNATURE_BYTES, signal: at.signal }),
  ]);
  if (release.status !== 'ok' || signature.status !== 'ok') return undefined;
  return { release: release.bytes, signature: signature.bytes };
}
