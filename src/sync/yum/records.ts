/** The files that a repomd.xml lists: brought, and read. */
import { KubedosError } from '../../errors.ts';
import { compressionOf, decompress } from '../../formats/compression.ts';
import { inFolder } from '../../formats/rpm/layout.ts';
import type { RepomdRecord, RpmChecksum } from '../../formats/rpm/repomd.ts';
import type { WantedFile } from '../../net/types.ts';
import type { ManifestEntry, ObjectStore } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import { eachParallel } from '../parallel.ts';
import type { SyncRun } from '../run-sync.ts';
import { remotePath } from './repositories.ts';
import type { RepositoryState, YumKind } from './repository-state.ts';

/** A record whose file is in the store; `path` from the root of the mirror. */
export interface PresentRecord extends ManifestEntry {
  readonly record: RepomdRecord;
  readonly state: RepositoryState;
}

const PARALLEL_RECORDS = 16;
/** Where repomd.xml gives no size: filelists of the largest distributions have some 100 MB, packed. */
const MAX_RECORD_FILE_BYTES = 4 * 1024 ** 3;
/** Where it does not tell to what a file expands. */
const MAX_EXPANDED_BYTES = 16 * 1024 ** 3;

/** Those of all repositories, in their order. `held`: the list before, for what has no SHA-256. `of`: all, where it is left out. */
export async function bringRecords(
  { session, space }: SyncRun<YumKind>,
  states: readonly RepositoryState[],
  held: (path: string) => Promise<ManifestEntry | undefined>,
  of: (state: RepositoryState) => readonly RepomdRecord[] = ({ repomd }) => repomd.records,
): Promise<PresentRecord[]> {
  const wanted = states.flatMap((state) => of(state).map((record) => ({ state, record })));
  const present = new Map<RepomdRecord, PresentRecord>();
  const bytes = wanted.reduce((sum, { record }) => sum + (record.sizeBytes ?? 0), 0);
  const meter = new Meter(session.run.onEvent, 'indexes', { files: wanted.length, bytes });
  const options = { limit: PARALLEL_RECORDS, signal: session.run.signal };
  await eachParallel(wanted, options, async ({ state, record }, signal) => {
    const { folder, source } = state.request;
    const path = inFolder(folder, record.path);
    if (record.base !== undefined) throw elsewhere(`${source} ${record.type}`, record.base);
    const wish = {
      path: remotePath(state.request, path),
      urls: state.urls,
      sizeBytes: record.sizeBytes ?? MAX_RECORD_FILE_BYTES,
      ...(record.sizeBytes === undefined && { sizeIsLimit: true }),
      digest: strongDigest(record.checksum, `${source}: ${record.path}`),
      held: record.checksum.algorithm === 'sha256' ? undefined : await held(path),
    };
    const { sha256, sizeBytes } = await space.source.bringByDigest(wish, { signal, onBytes: meter.onBytes });
    present.set(record, { path, sha256, sizeBytes, record, state });
    meter.file();
  });
  return wanted.flatMap(({ record }) => present.get(record) ?? []);
}

/** `trust.weak-digest` for what is broken: MD5, SHA-1. */
export function strongDigest({ algorithm, hex }: RpmChecksum, what: string): WantedFile['digest'] {
  if (algorithm === 'sha256' || algorithm === 'sha384' || algorithm === 'sha512') return { algorithm, hex };
  throw new KubedosError('trust.weak-digest', `${what} has no SHA-256 checksum, only ${algorithm}`, {
    hint: 'ask the owner of the repository for `createrepo_c --checksum sha256`',
  });
}

export function elsewhere(what: string, base: string): KubedosError {
  return new KubedosError('format.path', `sync ${what}: it lies at ${base} (xml:base), not in the repository`, {
    hint: 'signed metadata cannot be changed, and clients would follow it: mirror that repository in its own right',
  });
}

/** The expanded bytes of a record's file. */
export async function* recordContent(
  objects: ObjectStore,
  { path, sha256, record }: PresentRecord,
): AsyncGenerator<Buffer> {
  const bytes = await objects.open(sha256);
  if (bytes === undefined)
    throw new KubedosError('store.not-found', `read ${path}: its object ${sha256} is not in the store`);
  const maxBytes = record.openBytes ?? MAX_EXPANDED_BYTES;
  yield* decompress(bytes, compressionOf(path), { origin: path, maxBytes });
}

/** All of it; `format.limit` where it is larger. */
export async function recordBytes(objects: ObjectStore, record: PresentRecord, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of recordContent(objects, record)) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new KubedosError('format.limit', `read ${record.path}: it expands to more than ${maxBytes} bytes`);
    parts.push(Buffer.from(chunk));
  }
  return Buffer.concat(parts);
}
