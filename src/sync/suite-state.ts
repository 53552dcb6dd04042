/** A suite of an upstream as it is now: fetched, verified, checked against what is remembered. */
import { hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { parseRelease, type Release } from '../formats/apt/release.ts';
import type { Validators } from '../net/types.ts';
import type { SpecUpstream } from '../spec/mirror-spec.ts';
import type { Evidence, ObjectStore } from '../store/types.ts';
import type { Keyring } from '../trust/types.ts';
import { suiteFolder } from './archive-layout.ts';
import { type ReleaseMemory, releaseKey } from './memory.ts';
import { type CheckContext, checkExpiry, checkRollback, checkSuite } from './release-checks.ts';
import {
  type DetachedCopy,
  type FetchedRelease,
  fetchDetachedCopy,
  fetchRelease,
  MAX_RELEASE_BYTES,
  type ReleaseAddress,
} from './release-source.ts';

/** One suite of one upstream, with all that is needed to ask for it. */
export interface SuiteRequest extends ReleaseAddress {
  readonly suite: string;
  readonly upstream: SpecUpstream;
  /** Place of the upstream in the spec. */
  readonly upstreamIndex: number;
  readonly key: string;
}

/** A signed file of the suite, to be listed in the manifest. */
export interface SignedFile {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface SuiteState {
  readonly request: SuiteRequest;
  readonly release: Release;
  /** InRelease, Release, Release.gpg: as far as upstream has them, consistent with one another. */
  readonly files: readonly SignedFile[];
  readonly evidence: {
    readonly document: Buffer;
    readonly signature: Buffer | null;
    readonly keyring: Buffer;
    readonly fingerprints: readonly string[];
  };
  readonly memory: ReleaseMemory;
  /** False: the document is the one that is remembered. */
  readonly changed: boolean;
}

export function suiteRequest(
  at: Omit<ReleaseAddress, 'folder' | 'source'>,
  of: {
    readonly suite: string;
    readonly upstream: SpecUpstream;
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
    key: releaseKey(of.suite, of.single ? undefined : root),
  };
}

/** True if upstream still has what is remembered: by its own word, or byte for byte. */
export function isUnchanged(fetched: FetchedRelease, known: ReleaseMemory | undefined): boolean {
  if (fetched.form === 'unchanged') return true;
  return known !== undefined && known.form === fetched.form && known.document === sha256(fetched.document);
}

/** Verifies what was fetched; an unchanged Release is read from the store and verified again. */
export async function readSuite(
  request: SuiteRequest,
  fetched: FetchedRelease,
  context: { readonly objects: ObjectStore; readonly keyring: Keyring; readonly check: CheckContext },
): Promise<SuiteState> {
  const { known } = context.check;
  const given = fetched.form === 'unchanged' ? await remembered(request, known, context.objects) : fetched;
  const { keyring } = context;
  const origin = `${request.source} ${given.form === 'inline' ? 'InRelease' : 'Release'}`;
  const verified =
    given.form === 'inline'
      ? await keyring.verifyClearsigned(given.document, origin)
      : { ...(await keyring.verifyDetached(given.document, given.signature, origin)), content: given.document };
  const unchanged = isUnchanged(fetched, known);
  const release = parseRelease(verified.content, origin);
  checkSuite(release, request.suite, request.upstream, request.source);
  checkRollback(release.date, context.check);
  checkExpiry(release.validUntil, context.check);
  const copy =
    given.form === 'inline' ? await detachedCopy(request, unchanged ? known : undefined, context.objects) : undefined;
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
    memory: memoryOf(given, release, { copy: sound, fingerprints }),
    changed: !unchanged,
  };
}

type GivenRelease = Exclude<FetchedRelease, { form: 'unchanged' }>;

async function remembered(
  request: SuiteRequest,
  known: ReleaseMemory | undefined,
  objects: ObjectStore,
): Promise<GivenRelease> {
  const document = known && (await objects.read(known.document, MAX_RELEASE_BYTES));
  if (known === undefined || document === undefined) return again(request);
  const validators: Validators = { etag: known.etag, lastModified: known.lastModified };
  if (known.form === 'inline') return { form: 'inline', document, validators };
  const signature = known.signature === null ? undefined : await objects.read(known.signature, MAX_RELEASE_BYTES);
  return signature ? { form: 'detached', document, signature, validators } : again(request);
}

/** The remembered one is damaged or lost: without validators, upstream gives it whole. */
async function again(request: SuiteRequest): Promise<GivenRelease> {
  const fetched = await fetchRelease(request);
  if (fetched.form !== 'unchanged') return fetched;
  throw new KubedosError(
    'net.status',
    `sync ${request.source}: upstream says "not modified" to an unconditional request`,
  );
}

/** The copy that was kept with an unchanged InRelease, else the one that upstream has now. */
async function detachedCopy(
  request: SuiteRequest,
  kept: ReleaseMemory | undefined,
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

function signedFiles(folder: string, given: GivenRelease, copy: DetachedCopy | undefined): SignedFile[] {
  const pair = given.form === 'detached' ? { release: given.document, signature: given.signature } : copy;
  const files: SignedFile[] = given.form === 'inline' ? [{ path: `${folder}InRelease`, bytes: given.document }] : [];
  if (pair) {
    files.push({ path: `${folder}Release`, bytes: pair.release });
    files.push({ path: `${folder}Release.gpg`, bytes: pair.signature });
  }
  return files;
}

function memoryOf(
  given: GivenRelease,
  release: Release,
  { copy, fingerprints }: { readonly copy: DetachedCopy | undefined; readonly fingerprints: readonly string[] },
): ReleaseMemory {
  const { etag, lastModified } = given.validators;
  return {
    form: given.form,
    document: sha256(given.document),
    signature: given.form === 'detached' ? sha256(given.signature) : null,
    copy: copy ? { release: sha256(copy.release), signature: sha256(copy.signature) } : null,
    date: release.date?.toISOString() ?? null,
    validUntil: release.validUntil?.toISOString() ?? null,
    fingerprints: [...fingerprints],
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/** The evidence of the head; its three documents must be put into the store under these hashes. */
export function evidenceOf(state: SuiteState): Evidence {
  const { document, signature, keyring, fingerprints } = state.evidence;
  return {
    source: state.request.source,
    document: sha256(document),
    signature: signature && sha256(signature),
    keyring: sha256(keyring),
    fingerprints,
    date: state.memory.date,
    validUntil: state.memory.validUntil,
  };
}
