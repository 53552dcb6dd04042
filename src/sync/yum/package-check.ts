/** Holds packages that are new on the list against their own headers and signatures, before the list is shown. */
import { KubedosError } from '../../errors.ts';
import { type Nevra, showNevra } from '../../formats/rpm/package.ts';
import { type RpmFile, readRpm, readRpmHeader } from '../../formats/rpm/rpm-file.ts';
import { TAG } from '../../formats/rpm/tags.ts';
import { diffManifests } from '../../store/manifest.ts';
import { ManifestReader } from '../../store/manifest-reader.ts';
import type { ManifestEntry, ObjectStore } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import { eachParallel } from '../parallel.ts';
import type { ManifestSpan } from '../pool-fetch.ts';
import type { SyncRun } from '../run-sync.ts';
import { hasSpec } from '../seeds.ts';
import { listedPackages } from './listed-packages.ts';
import type { PresentRecord } from './records.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

const PARALLEL_CHECKS = 8;
/** A signature over header and payload, of packages of before 2010, is verified in memory. */
const MAX_WHOLE_BYTES = 1024 ** 3;

export interface CheckedPackage {
  readonly state: RepositoryState;
  readonly nevra: Nevra;
  /** In the mirror. */
  readonly path: string;
}

export interface CheckedList {
  readonly packages: Iterable<CheckedPackage> | AsyncIterable<CheckedPackage>;
  readonly span: ManifestSpan;
  /** Paths that upstream does not serve. */
  readonly missing: ReadonlySet<string>;
}

/**
 * Of repositories whose spec demands signed packages: `trust.unsigned`, the errors of Keyring.verifyDetached, and
 * `trust.other-package` where header and metadata name two packages. What the list before had is not read again, unless
 * the spec has changed since.
 */
export async function checkPackages(run: SyncRun<YumKind>, list: CheckedList): Promise<void> {
  const { session, space } = run;
  const isNew = await newPaths(run, list);
  const reader = new ManifestReader(space.objects);
  const meter = new Meter(session.run.onEvent, 'verify');
  const options = { limit: PARALLEL_CHECKS, signal: session.run.signal };
  await eachParallel(list.packages, options, async ({ state, nevra, path }) => {
    if (!isNew(path) || list.missing.has(path)) return;
    const entry = await reader.lookup(list.span.after, path);
    if (entry !== undefined) await checkPackage(space.objects, state, { ...entry, nevra });
    meter.file();
  });
}

/** What the repositories list whose spec demands signed packages. */
export async function* signedPackages(
  objects: ObjectStore,
  states: readonly RepositoryState[],
  records: readonly PresentRecord[],
): AsyncGenerator<CheckedPackage> {
  for (const state of states.filter(demandsSignedPackages))
    for await (const batch of listedPackages(objects, state, records))
      for (const { nevra, path } of batch) yield { state, nevra, path };
}

export function demandsSignedPackages({ request }: RepositoryState): boolean {
  return request.upstream.verify.includes('packages');
}

async function newPaths(
  { session, space, before }: SyncRun<YumKind>,
  { span }: CheckedList,
): Promise<(path: string) => boolean> {
  if (span.before === undefined || before === undefined || !hasSpec(before, session)) return () => true;
  const changed = new Set<string>();
  for await (const { path, after } of diffManifests(space.objects, span.before, span.after))
    if (after !== undefined) changed.add(path);
  return (path) => changed.has(path);
}

async function checkPackage(
  objects: ObjectStore,
  state: RepositoryState,
  entry: ManifestEntry & { readonly nevra: Nevra },
): Promise<void> {
  const { request, keyring } = state;
  const origin = `${request.source}: ${entry.path}`;
  const signedMetadata = request.upstream.verify.includes('metadata');
  const bytes = await objects.open(entry.sha256);
  if (bytes === undefined)
    throw new KubedosError('store.not-found', `verify ${origin}: object ${entry.sha256} is not in the store`);
  // Signed metadata vouches for the payload by the checksum of the file; otherwise the header must, and is held against it.
  const file = await (signedMetadata ? readRpmHeader : readRpm)(bytes, origin);
  const { arch } = entry.nevra;
  // Some repositories call a package without its source by another name than createrepo_c does.
  const listed = showNevra({ ...entry.nevra, arch: arch === 'nosrc' ? 'src' : arch });
  const found = showNevra(file.nevra);
  if (listed !== found)
    throw new KubedosError(
      'trust.other-package',
      `verify ${origin}: its header says ${found}, the metadata ${listed}`,
      {
        hint: 'upstream, or somebody between, gives one package for another; nothing of it was taken over',
      },
    );
  const overHeader = file.signatures.filter(({ over }) => over === 'header');
  const suffices = file.header.isWholeRegion(TAG.headerImmutable) && (signedMetadata || file.coversPayload);
  if (overHeader.length > 0 && suffices) {
    const packets = Buffer.concat(overHeader.map((each) => each.packets));
    await keyring.verifyDetached(file.header.bytes, packets, origin);
    return;
  }
  await checkWhole(objects, file, { state, entry, origin });
}

async function checkWhole(
  objects: ObjectStore,
  file: RpmFile,
  of: { readonly state: RepositoryState; readonly entry: ManifestEntry; readonly origin: string },
): Promise<void> {
  const packets = file.signatures.filter(({ over }) => over === 'whole').map((each) => each.packets);
  const { origin, entry } = of;
  if (packets.length === 0)
    throw new KubedosError('trust.unsigned', `verify ${origin}: ${unsignedReason(file)}`, {
      hint: 'if upstream signs its metadata alone, set `verify: [metadata]` in the spec',
    });
  if (entry.sizeBytes > MAX_WHOLE_BYTES)
    throw new KubedosError(
      'format.limit',
      `verify ${origin}: signed over its payload alone, and larger than ${MAX_WHOLE_BYTES} bytes`,
    );
  const bytes = await objects.read(entry.sha256, MAX_WHOLE_BYTES);
  const content = bytes?.subarray(file.headerRange[0]) ?? Buffer.alloc(0);
  await of.state.keyring.verifyDetached(content, Buffer.concat(packets), origin);
}

function unsignedReason({ signatures, header }: RpmFile): string {
  if (signatures.length === 0) return 'the package has no signature';
  if (!header.isWholeRegion(TAG.headerImmutable)) return 'its signature does not cover all of its header';
  return 'its signature does not cover its payload';
}
