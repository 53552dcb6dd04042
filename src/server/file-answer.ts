import { randomBytes } from 'node:crypto';
import { relative } from 'node:path';
import type { ByteRange, ManifestEntry } from '../store/types.ts';
import { type Answer, type BodyPart, NO_BODY, textAnswer } from './answer.ts';
import { checkPreconditions, type FileHeaders, rangeApplies, type SameAsOf } from './conditional.ts';
import { contentTypeOf } from './content-type.ts';
import type { ServerDeps } from './deps.ts';
import { type ObjectReader, SMALL_OBJECT_BYTES } from './object-reader.ts';
import { multipartFrames, parseRange } from './range.ts';
import { encodePath } from './request-path.ts';
import { closeObject } from './send-socket.ts';

/** A path that was found on a list. */
export interface FoundFile {
  readonly entry: ManifestEntry;
  readonly lastModified: string;
  readonly cacheControl: string;
  readonly sameAsOf: SameAsOf;
  /** Whether the snapshot is there at this moment: one that was deleted takes its objects along, and that is no damage. */
  readonly stillListed: () => Promise<boolean>;
}

export interface FileRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: FileHeaders;
}

/** Answers of everything but the bytes themselves come from here, with or without a body: whole, parts, 304, 412, 416. */
export class FileAnswers {
  readonly #deps: ServerDeps;
  readonly #reader: ObjectReader;
  /** Damage that is being reported, so that a crowd asking for one object says it once. */
  readonly #reporting = new Set<string>();

  constructor(deps: ServerDeps, reader: ObjectReader) {
    this.#deps = deps;
    this.#reader = reader;
  }

  async answer(request: FileRequest, file: FoundFile): Promise<Answer> {
    const { entry } = file;
    if (this.#reader.isBad(entry.sha256)) return this.refuseBad(entry);
    const etag = `"${entry.sha256}"`;
    const validators = ['ETag', etag, 'Last-Modified', file.lastModified, 'Cache-Control', file.cacheControl];
    const precondition = await checkPreconditions(request.headers, etag, file.sameAsOf);
    if (precondition === 'unchanged') return { status: 304, headers: validators, body: NO_BODY };
    if (precondition === 'failed') return textAnswer(412, 'the file is another than the one named by If-Match\n');

    const ranges = await this.#ranges(request, file, etag);
    if (ranges === undefined) return this.#whole(request, file, [...validators, ...wholeHeaders(entry)]);
    if (ranges.length === 0) {
      return textAnswer(416, `the file has ${entry.sizeBytes} bytes\n`, [
        'Content-Range',
        `bytes */${entry.sizeBytes}`,
      ]);
    }
    return this.#partial(file, ranges, validators);
  }

  /** Range is defined for GET alone (RFC 9110 §14.2). */
  async #ranges({ method, headers }: FileRequest, file: FoundFile, etag: string) {
    if (method !== 'GET' || headers.range === undefined) return undefined;
    if (!(await rangeApplies(headers, etag, file.sameAsOf))) return undefined;
    return parseRange(headers.range, file.entry.sizeBytes);
  }

  async #whole(request: FileRequest, file: FoundFile, headers: readonly string[]): Promise<Answer> {
    const { entry } = file;
    if (request.method === 'HEAD') return { status: 200, headers, body: NO_BODY };
    const whole = { status: 200, headers, parts: [{ start: 0, end: entry.sizeBytes }] };
    const answer = await this.#withBody(file, whole);
    const redirect = this.#accelPath(entry);
    if (redirect === undefined || answer.body.kind !== 'object') return answer;
    // It was opened to see that it is there and whole. nginx takes the length from the file itself.
    await closeObject(answer.body.object);
    const own = withoutHeader(headers, 'Content-Length');
    return { status: 200, headers: [...own, 'X-Accel-Redirect', redirect], body: NO_BODY };
  }

  async #partial(file: FoundFile, ranges: readonly ByteRange[], validators: readonly string[]): Promise<Answer> {
    const { entry } = file;
    const contentType = contentTypeOf(entry.path);
    const [only] = ranges;
    if (ranges.length === 1 && only !== undefined) {
      const length = String(only.end - only.start);
      const position = `bytes ${only.start}-${only.end - 1}/${entry.sizeBytes}`;
      const own = ['Content-Type', contentType, 'Content-Length', length, 'Content-Range', position, ...SNIFF];
      return this.#withBody(file, { status: 206, headers: [...own, ...validators], parts: [only] });
    }
    const boundary = randomBytes(15).toString('hex');
    const frames = multipartFrames(ranges, { boundary, contentType, sizeBytes: entry.sizeBytes });
    const parts = ranges.flatMap((range, i): BodyPart[] => [frames.heads[i] ?? Buffer.alloc(0), range]);
    const type = `multipart/byteranges; boundary=${boundary}`;
    const own = ['Content-Type', type, 'Content-Length', String(frames.totalBytes), ...SNIFF];
    return this.#withBody(file, { status: 206, headers: [...own, ...validators], parts: [...parts, frames.tail] });
  }

  /** Undefined where nginx is not in front, or the object is so small that sending it ourselves is quicker. */
  #accelPath(entry: ManifestEntry): string | undefined {
    const { accelPrefix, accelRoot } = this.#deps.options ?? {};
    if (accelPrefix === undefined || accelRoot === undefined || entry.sizeBytes <= SMALL_OBJECT_BYTES) return undefined;
    const path = this.#deps.store.objects.localPath?.(entry.sha256);
    const below = path === undefined ? '..' : relative(accelRoot, path);
    return below.startsWith('..') ? undefined : `${accelPrefix.replace(/\/*$/, '/')}${encodePath(below)}`;
  }

  /** Opens the object before the head goes out: afterwards there is no way to say 500. */
  async #withBody(
    { entry, stillListed }: FoundFile,
    { status, headers, parts }: Pick<Answer, 'status' | 'headers'> & { readonly parts: readonly BodyPart[] },
  ): Promise<Answer> {
    const object = await this.#reader.open(entry);
    if (object.kind !== 'unreadable') return { status, headers, body: { kind: 'object', ref: entry, object, parts } };
    if (!(await stillListed())) return textAnswer(404, 'the snapshot was deleted\n');
    if (object.damaged) this.reportDamage(entry, object.reason);
    else this.#deps.log({ level: 'error', message: `read object ${entry.sha256}: ${object.reason}` });
    return this.refuseBad(entry);
  }

  refuseBad(entry: ManifestEntry): Answer {
    this.#deps.log({
      level: 'error',
      message: `serve ${entry.path}: object ${entry.sha256} is damaged or unreadable; run \`kubedos store repair\``,
      details: { path: entry.path, sha256: entry.sha256 },
    });
    return textAnswer(500, 'this file is damaged in the store; its operator finds the reason in the log\n');
  }

  /** Once for each object; the hook's own failure is logged and goes no further. */
  reportDamage(entry: Pick<ManifestEntry, 'sha256'>, reason: string): void {
    if (this.#reporting.has(entry.sha256)) return;
    this.#reporting.add(entry.sha256);
    this.#deps.log({
      level: 'error',
      message: `read object ${entry.sha256}: ${reason}`,
      details: { sha256: entry.sha256, reason },
    });
    const report = async (): Promise<void> => this.#deps.onDamage?.(entry.sha256, reason);
    report()
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#deps.log({ level: 'error', message: `mark object ${entry.sha256} as damaged: ${why}` });
      })
      .finally(() => this.#reporting.delete(entry.sha256));
  }
}

const SNIFF = ['X-Content-Type-Options', 'nosniff'] as const;

/** Mirrored pages are strangers on our origin: no scripts, no forms, no storage. */
const SANDBOX = ['Content-Security-Policy', 'sandbox'] as const;

function wholeHeaders(entry: ManifestEntry): string[] {
  const type = contentTypeOf(entry.path);
  const facts = ['Content-Type', type, 'Content-Length', String(entry.sizeBytes), 'Accept-Ranges', 'bytes', ...SNIFF];
  return /^(text\/html|image\/svg|application\/xml)/.test(type) ? [...facts, ...SANDBOX] : facts;
}

function withoutHeader(headers: readonly string[], name: string): string[] {
  const at = headers.indexOf(name);
  return at < 0 ? [...headers] : [...headers.slice(0, at), ...headers.slice(at + 2)];
}
