/** A suite of an upstream as it is now: fetched, verified, checked against what is remembered. */
import { parseRelease, type Release } from '../../formats/apt/release.ts';
import type { AptSpec, AptUpstream } from '../../spec/apt-spec.ts';
import type { ObjectStore } from '../../store/types.ts';
import type { Keyring } from '../../trust/types.ts';
import type { RootMemory } from '../memory.ts';
import { checkExpiry, checkRollback } from '../root-checks.ts';
import { type GivenRoot, givenRoot, rootMemory, sha256 } from '../root-memory.ts';
import { isUnchanged } from '../session.ts';
import type { FetchedRoot, ReadContext, RootState, SignedFile, UpstreamRoot } from '../upstream-root.ts';
import { suiteFolder } from './archive-layout.ts';
import { checkSuite } from './release-checks.ts';
import {
  type DetachedCopy,
  fetchDetachedCopy,
  fetchRelease,
  MAX_RELEASE_BYTES,
  type ReleaseAddress,
} from './release-source.ts';

export interface AptKind {
  readonly spec: AptSpec;
  readonly state: SuiteState;
}

/** One suite of one upstream, with all that is needed to ask for it. */
export interface SuiteRequest extends ReleaseAddress {
  readonly suite: string;
  readonly upstream: AptUpstream;
  /** Place of the upstream in the spec. */
  readonly upstreamIndex: number;
  readonly key: string;
}

export interface SuiteState extends RootState {
  readonly request: SuiteRequest;
  readonly release: Release;
  /** InRelease, Release, Release.gpg: as far as upstream has them, consistent with one another. */
  readonly files: readonly SignedFile[];
}

export function suiteRequest(
  at: Omit<ReleaseAddress, 'folder' | 'source'>,
  of: {
    readonly suite: string;
    readonly upstream: AptUpstream;
    readonly upstreamIndex: number;
    readonly single: boolean;
  },
): SuiteRequest {
  const root = of.upstream.url[0];
  return {
    ...at,
    ...of,
    folder: suiteFolder(of.suite),
    source: `${at.urls[0] ?? 'no upstream'} ${of.suite}`,
    // Moving to another host is no way around the check against rollback.
    key: of.single ? of.suite : `${root} ${of.suite}`,
  };
}

export function suiteRoot(request: SuiteRequest, loadKeyring: () => Promise<Keyring>): UpstreamRoot<SuiteState> {
  return {
    key: request.key,
    source: request.source,
    fetch: (known) => fetchRelease(request, known),
    read: async (fetched, context) => readSuite(request, fetched, { ...context, keyring: await loadKeyring() }),
  };
}

async function readSuite(
  request: SuiteRequest,
  fetched: FetchedRoot,
  { objects, keyring, check }: ReadContext & { readonly keyring: Keyring },
): Promise<SuiteState> {
  const { known } = check;
  const at = { source: request.source, fetch: () => fetchRelease(request) };
  const given = await givenRoot(at, fetched, { known, objects, maxBytes: MAX_RELEASE_BYTES });
  const origin = `${request.source} ${given.form === 'inline' ? 'InRelease' : 'Release'}`;
  const verified =
    given.form === 'inline'
      ? await keyring.verifyClearsigned(given.document, origin)
      : { ...(await keyring.verifyDetached(given.document, given.signature ?? '', origin)), content: given.document };
  const unchanged = isUnchanged(fetched, known);
  const release = parseRelease(verified.content, origin);
  checkSuite(release, request.suite, request.upstream, request.source);
  checkRollback(release.date, check);
  checkExpiry(release.validUntil, check);
  const copy =
    given.form === 'inline' ? await detachedCopy(request, unchanged ? known : undefined, objects) : undefined;
  const sound = copy && (await isSoundCopy(copy, { keyring, release, source: request.source })) ? copy : undefined;
  const fingerprints = [...new Set(verified.signers.map(({ primary }) => primary))].sort();
  return {
    request,
    release,
    files: signedFiles(request.folder, given, sound),
    evidence: {
      document: given.document,
      signature: given.form === 'detached' ? given.signature : null,
      keyring: Buffer.from(keyring.armored()),
      fingerprints,
    },
    memory: rootMemory(given, {
      copy: sound ? { release: sha256(sound.release), signature: sha256(sound.signature) } : null,
      date: release.date?.toISOString() ?? null,
      validUntil: release.validUntil?.toISOString() ?? null,
      fingerprints,
    }),
    changed: !unchanged,
  };
}

/** The copy that was kept with an unchanged InRelease, else the one that upstream has now. */
async function detachedCopy(
  request: SuiteRequest,
  kept: RootMemory | undefined,
  objects: ObjectStore,
): Promise<DetachedCopy | undefined> {
  if (kept === undefined) return fetchDetachedCopy(request);
  if (kept.copy === null) return undefined;
  const release = await objects.read(kept.copy.release, MAX_RELEASE_BYTES);
  const signature = await objects.read(kept.copy.signature, MAX_RELEASE_BYTES);
  return release && signature && { release, signature };
}

/** Old clients alone read the copy; a good InRelease is enough, and what is not verified or of another state is left out. */
async function isSoundCopy(
  copy: DetachedCopy,
  { keyring, release, source }: { readonly keyring: Keyring; readonly release: Release; readonly source: string },
): Promise<boolean> {
  try {
    await keyring.verifyDetached(copy.release, copy.signature, `${source} Release`);
    return parseRelease(copy.release, `${source} Release`).date?.getTime() === release.date?.getTime();
  } catch {
    return false;
  }
}

function signedFiles(folder: string, given: GivenRoot, copy: DetachedCopy | undefined): SignedFile[] {
  const files: SignedFile[] = [];
  const add = (name: string, bytes: Buffer) => files.push({ path: `${folder}${name}`, bytes });
  if (given.form === 'inline') add('InRelease', given.document);
  const pair = given.form === 'detached' ? { release: given.document, signature: given.signature } : copy;
  if (pair) add('Release', pair.release);
  if (pair?.signature) add('Release.gpg', pair.signature);
  return files;
}
