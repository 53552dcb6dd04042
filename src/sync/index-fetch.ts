/** Fetches the planned indexes of a suite: listed is not present, unless it is required. */
import { KubedosError } from '../errors.ts';
import { compressionOf } from '../formats/compression.ts';
import type { Run } from '../progress.ts';
import type { IndexFile, WantedIndex } from './index-plan.ts';
import { Meter } from './meter.ts';
import type { ObjectSource } from './object-source.ts';
import { eachParallel } from './parallel.ts';

/** An index with the forms of it that upstream serves; they are in the store. */
export interface PresentIndex extends WantedIndex {
  readonly suite: string;
  readonly urls: readonly string[];
}

export interface IndexRequest {
  readonly index: WantedIndex;
  readonly suite: string;
  readonly urls: readonly string[];
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
    const { path, sizeBytes, sha256 } = form;
    const alternatePath = form.byHash.find((each) => each.includes('/by-hash/SHA256/'));
    const wish = { path, sizeBytes, sha256, alternatePath, urls: request.urls };
    try {
      await source.bring(wish, { signal, onBytes: meter.onBytes });
    } catch (error) {
      if (!(error instanceof KubedosError) || error.code !== 'net.not-found') throw error;
      absent.add(form);
    }
    meter.file();
  });
  return requests.flatMap(({ index, suite, urls }) => {
    const present = index.forms.filter((form) => !absent.has(form));
    if (index.required && !present.some(isReadable)) throw notServed(index, suite);
    return present.length === 0 ? [] : [{ ...index, forms: present, suite, urls }];
  });
}

const READABLE = ['zst', 'gz', 'none', 'xz'];

/** Compressions we read; a Packages.bz2 alone cannot be. */
export function isReadable({ path }: IndexFile): boolean {
  return READABLE.includes(compressionOf(path)) && !/\.(?:lzma|lz4)$/.test(path);
}

/** The form that is quickest to read: xz takes six times as long as gz. */
export function quickestForm(index: WantedIndex): IndexFile {
  const readable = index.forms.filter(isReadable);
  readable.sort((a, b) => READABLE.indexOf(compressionOf(a.path)) - READABLE.indexOf(compressionOf(b.path)));
  const [best] = readable;
  if (best === undefined)
    throw new KubedosError('format.syntax', `read ${index.name}: served in no compression that can be read`, {
      hint: 'xz, zst, gz and uncompressed can be',
    });
  return best;
}

function notServed(index: WantedIndex, suite: string): KubedosError {
  const names = index.forms.map(({ path }) => path).join(', ');
  return new KubedosError('net.not-found', `sync ${suite}: upstream lists ${names} and serves none of them`, {
    hint: 'upstream may be in the middle of an update: try again later',
  });
}
