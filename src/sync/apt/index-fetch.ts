/** Fetches the planned indexes of a suite: listed is not present, unless it is required. */
import { KubedosError } from '../../errors.ts';
import { compressionOf } from '../../formats/compression.ts';
import type { Run } from '../../progress.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { Meter } from '../meter.ts';
import type { FetchOptions, ObjectSource } from '../object-source.ts';
import { eachParallel } from '../parallel.ts';
import type { IndexFile, WantedIndex } from './index-plan.ts';

/** An index with the forms of it that upstream serves; they are in the store. */
export interface PresentIndex extends WantedIndex {
  readonly suite: string;
  readonly urls: readonly string[];
  readonly upstreamIndex: number;
}

export interface IndexRequest {
  readonly index: WantedIndex;
  readonly suite: string;
  readonly urls: readonly string[];
  /** Place of the upstream in the spec. */
  readonly upstreamIndex: number;
}

const PARALLEL_INDEXES = 16;

/** In the order of the requests. `net.not-found` where no readable form of a required index is there. */
export async function fetchIndexes(
  requests: readonly IndexRequest[],
  source: ObjectSource,
  run: Run,
): Promise<PresentIndex[]> {
  const lacking: { readonly request: IndexRequest; readonly form: IndexFile }[] = [];
  for (const request of requests)
    for (const form of request.index.forms) if (!(await source.has(form))) lacking.push({ request, form });
  const meter = new Meter(run.onEvent, 'indexes', {
    files: lacking.length,
    bytes: lacking.reduce((sum, { form }) => sum + form.sizeBytes, 0),
  });
  const absent = new Set<IndexFile>();
  await eachParallel(lacking, { limit: PARALLEL_INDEXES, signal: run.signal }, async ({ request, form }, signal) => {
    if (!(await bringForm(request, form, source, { signal, onBytes: meter.onBytes }))) absent.add(form);
    meter.file();
  });
  return requests.flatMap(({ index, ...of }) => {
    const present = index.forms.filter((form) => !absent.has(form));
    if (index.required && !present.some(isReadable)) throw notServed(index, of.suite);
    return present.length === 0 ? [] : [{ ...index, ...of, forms: present }];
  });
}

/**
 * One readable form of each index, for reading alone: the smallest that upstream serves. In the order of the requests;
 * errors as above.
 */
export async function fetchSmallest(
  requests: readonly IndexRequest[],
  source: ObjectSource,
  run: Run,
): Promise<PresentIndex[]> {
  const present = new Map<IndexRequest, IndexFile>();
  const lacking: { readonly request: IndexRequest; readonly forms: readonly IndexFile[] }[] = [];
  for (const request of requests) {
    const forms = request.index.forms.filter(isReadable).sort((a, b) => a.sizeBytes - b.sizeBytes);
    let there: IndexFile | undefined;
    for (const form of forms) if (there === undefined && (await source.has(form))) there = form;
    if (there) present.set(request, there);
    else lacking.push({ request, forms });
  }
  const bytes = lacking.reduce((sum, { forms }) => sum + (forms[0]?.sizeBytes ?? 0), 0);
  const meter = new Meter(run.onEvent, 'indexes', { files: lacking.length, bytes });
  const options = { limit: PARALLEL_INDEXES, signal: run.signal };
  await eachParallel(lacking, options, async ({ request, forms }, signal) => {
    for (const form of forms) {
      if (!(await bringForm(request, form, source, { signal, onBytes: meter.onBytes }))) continue;
      present.set(request, form);
      break;
    }
    meter.file();
  });
  return requests.flatMap((request) => {
    const form = present.get(request);
    if (form === undefined && request.index.required) throw notServed(request.index, request.suite);
    return form === undefined ? [] : [{ ...request.index, ...of(request), forms: [form] }];
  });
}

function of({ suite, urls, upstreamIndex }: IndexRequest): Omit<IndexRequest, 'index'> {
  return { suite, urls, upstreamIndex };
}

/** False where upstream lists the file and does not serve it. */
async function bringForm(
  request: IndexRequest,
  form: IndexFile,
  source: ObjectSource,
  options: FetchOptions,
): Promise<boolean> {
  const { path, sizeBytes, sha256 } = form;
  const alternatePath = form.byHash.find((each) => each.includes('/by-hash/SHA256/'));
  try {
    await source.bring({ path, sizeBytes, sha256, alternatePath, urls: request.urls }, options);
    return true;
  } catch (error) {
    if (error instanceof KubedosError && error.code === 'net.not-found') return false;
    throw error;
  }
}

/** By how quickly they unpack. */
const READABLE = ['zst', 'gz', 'none', 'xz', 'bz2'];

/** What we read; lzma and lz4 are not. */
function isReadable({ path }: IndexFile): boolean {
  return READABLE.includes(compressionOf(path)) && !/\.(?:lzma|lz4)$/.test(path);
}

/** The form that is quickest to read: xz takes six times as long as gz. */
export function quickestForm(index: WantedIndex): IndexFile {
  const readable = index.forms.filter(isReadable);
  readable.sort((a, b) => READABLE.indexOf(compressionOf(a.path)) - READABLE.indexOf(compressionOf(b.path)));
  const [best] = readable;
  if (best === undefined)
    throw new KubedosError('format.syntax', `read ${index.name}: served in no compression that can be read`, {
      hint: 'xz, zst, gz, bz2 and uncompressed can be',
    });
  return best;
}

/** What apt asks for in place of the names that change. */
export function byHashEntries(indexes: readonly PresentIndex[]): ManifestEntry[] {
  return indexes.flatMap(({ forms }) =>
    forms.flatMap(({ byHash, sha256, sizeBytes }) => byHash.map((path) => ({ path, sha256, sizeBytes }))),
  );
}

function notServed(index: WantedIndex, suite: string): KubedosError {
  const names = index.forms.map(({ path }) => path).join(', ');
  return new KubedosError('net.not-found', `sync ${suite}: upstream lists ${names} and serves none of them`, {
    hint: 'upstream may be in the middle of an update: try again later',
  });
}
