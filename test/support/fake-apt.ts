/**
 * A signed apt upstream on loopback, with hooks to misbehave. Typical use:
 *
 *   const key = await fakeKey();
 *   const points = await twoPoints(key);
 *   const upstream = await startFakeApt(points.first);
 *   … sync from upstream.url …
 *   upstream.serve(points.second);
 *   … sync again …
 *   await upstream.close();
 */
import { createHash, hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FakeFiles, type FakeSuite, fakeArchive } from './fake-archive.ts';
import type { FakePackage } from './fake-deb.ts';
import type { FakeKey } from './fake-key.ts';

export type Misbehaviour =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Says the whole length, sends this many bytes and cuts the connection. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Sends other bytes, with a length that fits them. */
  | { readonly kind: 'body'; readonly body: string | Uint8Array }
  /** Flips one bit, same size. */
  | { readonly kind: 'flip' }
  /** So many bytes every 20 ms. */
  | { readonly kind: 'drip'; readonly bytes: number }
  /** Never ends and says no length. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'redirect-loop' }
  /** Accepts and says nothing. */
  | { readonly kind: 'hang' };

export interface FakeRequest {
  readonly method: string;
  /** Unescaped, without the leading slash. */
  readonly path: string;
  readonly range: string | undefined;
  readonly conditional: boolean;
  readonly authorization: string | undefined;
  status: number;
}

export interface FakeApt {
  readonly url: string;
  readonly requests: FakeRequest[];
  /** What is served now. */
  readonly files: FakeFiles;
  /** Swaps everything in one step, as an atomic mirror push would. `keepOld`: files of before that are not in the new state stay. */
  serve(files: FakeFiles, options?: { readonly keepOld?: boolean }): void;
  /** The first rule that matches and has `times` left decides. */
  misbehave(path: string | RegExp, how: Misbehaviour, options?: { readonly times?: number }): void;
  behave(): void;
  /** Called at each request before it is answered: to change the archive mid-sync. */
  onRequest: ((request: FakeRequest) => void) | undefined;
  close(): Promise<void>;
}

export async function startFakeApt(initial: FakeFiles): Promise<FakeApt> {
  let files = initial;
  const rules: { path: string | RegExp; how: Misbehaviour; times: number }[] = [];
  const requests: FakeRequest[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*$/, '')).replace(/^\/+/, '');
    const record: FakeRequest = {
      method: request.method ?? 'GET',
      path,
      range: request.headers.range,
      conditional: Boolean(request.headers['if-none-match'] ?? request.headers['if-modified-since']),
      authorization: request.headers.authorization,
      status: 0,
    };
    requests.push(record);
    response.on('close', () => {
      record.status = response.statusCode;
    });
    fake.onRequest?.(record);
    const rule = rules.find(
      (each) => each.times > 0 && (typeof each.path === 'string' ? each.path === path : each.path.test(path)),
    );
    if (rule) rule.times--;
    answer(request, response, { body: files.get(path), how: rule?.how });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeApt = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get files() {
      return files;
    },
    serve(next, { keepOld = false } = {}) {
      files = keepOld ? new Map([...files, ...next]) : next;
    },
    misbehave(path, how, { times = Number.POSITIVE_INFINITY } = {}) {
      rules.push({ path, how, times });
    },
    behave() {
      rules.length = 0;
    },
    onRequest: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { body, how }: { body: Buffer | undefined; how: Misbehaviour | undefined },
): void {
  switch (how?.kind) {
    case 'hang':
      return;
    case 'status':
      response.writeHead(how.status, { ...how.headers }).end(`status ${how.status}\n`);
      return;
    case 'redirect-loop':
      response.writeHead(302, { location: request.url ?? '/' }).end();
      return;
    case 'endless':
      endless(response);
      return;
    case 'body':
      deliver(request, response, Buffer.from(how.body));
      return;
    default:
  }
  if (body === undefined) {
    response.writeHead(404).end('not found\n');
  } else if (how?.kind === 'flip') {
    const flipped = Buffer.from(body);
    flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
    deliver(request, response, flipped);
  } else if (how?.kind === 'truncate') {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, how.bytes), () => setImmediate(() => response.destroy()));
  } else if (how?.kind === 'drip') {
    drip(response, body, how.bytes);
  } else {
    deliver(request, response, body);
  }
}

function deliver(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const etag = `"${hash('sha256', body).slice(0, 20)}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  if (range && (ifRange === undefined || ifRange === etag)) {
    const start = Number(range[1]);
    const end = range[2] ? Math.min(Number(range[2]), body.length - 1) : body.length - 1;
    if (start > end) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
      return;
    }
    const headers = {
      etag,
      'content-length': end - start + 1,
      'content-range': `bytes ${start}-${end}/${body.length}`,
    };
    response.writeHead(206, headers).end(body.subarray(start, end + 1));
    return;
  }
  response.writeHead(200, { etag, 'content-length': body.length, 'accept-ranges': 'bytes' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const block = Buffer.alloc(65_536, 'x');
  const more = (): void => {
    while (!response.destroyed && response.write(block));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

function drip(response: ServerResponse, body: Buffer, bytes: number): void {
  response.writeHead(200, { 'content-length': body.length });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + bytes));
    sent += bytes;
    if (sent >= body.length) response.end();
    if (sent >= body.length || response.destroyed) clearInterval(timer);
  }, 20);
  response.on('close', () => clearInterval(timer));
}

/** A short name of what a set of files is, to compare states. */
export function fingerprintOf(files: FakeFiles): string {
  const digest = createHash('sha256');
  for (const path of [...files.keys()].sort()) digest.update(`${hash('sha256', files.get(path) ?? '')} ${path}\n`);
  return digest.digest('hex');
}

/** Packages of the sample archive at its first point in time: hello depends on libgreet; tool stands alone. */
export const SAMPLE_PACKAGES: readonly FakePackage[] = [
  { name: 'hello', version: '1.0-1', fields: { Depends: 'libgreet1 (>= 1.0)' }, architecture: 'amd64' },
  { name: 'libgreet1', version: '1.0-1', architecture: 'amd64', fields: { Source: 'greet' }, section: 'libs' },
  { name: 'tool', version: '2:3.1+dfsg-1~deb12u1', priority: 'standard', section: 'utils' },
  { name: 'obsolete', version: '0.9', priority: 'extra' },
];

/** A day later: hello and libgreet1 are upgraded, obsolete is gone, fresh is new. */
export const SAMPLE_PACKAGES_LATER: readonly FakePackage[] = [
  { name: 'hello', version: '1.1-1', fields: { Depends: 'libgreet1 (>= 1.1)' }, architecture: 'amd64' },
  { name: 'libgreet1', version: '1.1-1', architecture: 'amd64', fields: { Source: 'greet' }, section: 'libs' },
  { name: 'tool', version: '2:3.1+dfsg-1~deb12u1', priority: 'standard', section: 'utils' },
  { name: 'fresh', version: '1' },
];

export const SAMPLE_DATE = new Date('2024-05-01T10:00:00Z');
export const SAMPLE_DATE_LATER = new Date('2024-05-02T10:00:00Z');

/** One suite `bookworm` with component main for amd64, at two points in time, by-hash and both forms of Release; `change` adjusts each suite. */
export async function twoPoints(
  key: FakeKey,
  change: (suite: FakeSuite) => FakeSuite = (suite) => suite,
): Promise<{ readonly first: FakeFiles; readonly second: FakeFiles }> {
  const at = (date: Date, packages: readonly FakePackage[]): Promise<FakeFiles> =>
    fakeArchive({ key, suites: [change({ suite: 'bookworm', components: { main: { packages } }, date })] });
  return {
    first: await at(SAMPLE_DATE, SAMPLE_PACKAGES),
    second: await at(SAMPLE_DATE_LATER, SAMPLE_PACKAGES_LATER),
  };
}
