/**
 * A signed archive of any number of packages on loopback, for measuring: its index is written once to a folder, and
 * package files are made up as they are asked for, so that a million of them take no space.
 */
import { createHash, hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FakeKey } from './fake-key.ts';
import { noise } from './random-files.ts';

export interface SyntheticOptions {
  readonly key: FakeKey;
  /** An empty folder for the index. */
  readonly folder: string;
  readonly packages: number;
  /** Of each package file; default 200. */
  readonly packageBytes?: number;
  /** So many of the packages, evenly spread, have a second version. */
  readonly upgraded?: number;
  readonly date?: Date;
  /** Default any free one. */
  readonly port?: number;
}

export interface SyntheticApt {
  readonly url: string;
  readonly requests: () => number;
  close(): Promise<void>;
}

interface SyntheticFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly stanza: string;
}

const SUITE = 'dists/synthetic';

export async function startSyntheticApt(options: SyntheticOptions): Promise<SyntheticApt> {
  const { folder, key, port = 0 } = options;
  const index = await writeIndex(options);
  const date = options.date ?? new Date('2024-05-01T00:00:00Z');
  const release = [
    'Origin: Synthetic',
    'Suite: synthetic',
    'Codename: synthetic',
    `Date: ${date.toUTCString().replace('GMT', 'UTC')}`,
    'Acquire-By-Hash: yes',
    'Architectures: amd64',
    'Components: main',
    'SHA256:',
    ` ${index.plain.sha256} ${index.plain.sizeBytes} main/binary-amd64/Packages`,
    ` ${index.gz.sha256} ${index.gz.sizeBytes} main/binary-amd64/Packages.gz`,
    '',
  ].join('\n');
  const inRelease = Buffer.from(await key.clearsign(release, date));
  const etag = `"${hash('sha256', inRelease).slice(0, 16)}"`;
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const path = decodeURIComponent((request.url ?? '').slice(1));
    const pool = /^pool\/main\/\w+\/(package-(\d+))_(\d+)_amd64\.deb$/.exec(path);
    if (path === `${SUITE}/InRelease`) {
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
      else response.writeHead(200, { etag, 'content-length': inRelease.length }).end(inRelease);
    } else if (pool) {
      const { bytes } = syntheticFile(options, Number(pool[2]), Number(pool[3]));
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    } else if (path.endsWith('Packages.gz') || path.endsWith(index.gz.sha256)) {
      response.writeHead(200, { 'content-length': index.gz.sizeBytes });
      createReadStream(join(folder, 'Packages.gz')).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function syntheticPath(number: number, version: number): string {
  return `pool/main/p${number % 1000}/package-${number}_${version}_amd64.deb`;
}

/** A stanza of the usual length. */
export function syntheticFile(
  { packageBytes = 200 }: Pick<SyntheticOptions, 'packageBytes'>,
  number: number,
  version: number,
): SyntheticFile {
  const name = `package-${number}`;
  const path = syntheticPath(number, version);
  const bytes = noise(`${name} ${version}`, packageBytes);
  const stanza = [
    `Package: ${name}`,
    `Version: ${version}`,
    'Architecture: amd64',
    'Maintainer: Somebody With A Usual Name <somebody@example.org>',
    'Installed-Size: 1234',
    `Depends: package-${(number * 7) % (number + 1)}, package-${(number * 3) % (number + 1)} | package-0`,
    `Description: package ${number} of a synthetic archive`,
    `Description-md5: ${hash('md5', name)}`,
    'Homepage: https://example.org/some/where',
    'Tag: role::program, interface::commandline, implemented-in::c, scope::utility, works-with::text, use::searching',
    'Section: misc',
    'Priority: optional',
    `Filename: ${path}`,
    `Size: ${bytes.length}`,
    `MD5sum: ${hash('md5', bytes)}`,
    `SHA256: ${hash('sha256', bytes)}`,
    '',
    '',
  ].join('\n');
  return { path, bytes, stanza };
}

async function writeIndex(options: SyntheticOptions) {
  const file = join(options.folder, 'Packages.gz');
  const plain = hashing();
  const gz = hashing();
  await pipeline(stanzas(options), plain.stream, createGzip({ level: 1 }), gz.stream, createWriteStream(file));
  return { plain: plain.ref(), gz: { ...gz.ref(), sizeBytes: (await stat(file)).size } };
}

function* stanzas(options: SyntheticOptions): Generator<string> {
  const { packages, upgraded = 0 } = options;
  const step = Math.floor(packages / upgraded);
  let block = '';
  for (let number = 0; number < packages; number++) {
    block += syntheticFile(options, number, upgraded > 0 && number % step === 1 ? 2 : 1).stanza;
    if (block.length < 65_536) continue;
    yield block;
    block = '';
  }
  yield block;
}

/** Passes bytes on; `ref` tells their SHA-256 and number at the end. */
export function hashing() {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      digest.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, ref: () => ({ sha256: digest.digest('hex'), sizeBytes }) };
}
