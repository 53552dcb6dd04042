/**
 * A signed rpm repository of any number of packages on loopback, for measuring: its metadata is written once to a
 * folder, and package files are made up as they are asked for. They are no packages: the signed metadata vouches for them.
 */
import { hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { filelistsRecord, otherRecord, primaryRecord } from '../../src/formats/rpm/metadata-text.ts';
import type { PackageFacts } from '../../src/formats/rpm/package.ts';
import { METADATA_TYPES, type MetadataRecord, type MetadataType } from '../../src/formats/rpm/publication.ts';
import { type RepomdRecord, repomdText } from '../../src/formats/rpm/repomd.ts';
import { metadataPieces } from '../../src/publish/yum/record-pieces.ts';
import type { FakeKey } from './fake-key.ts';
import { noise } from './random-files.ts';
import { hashing } from './synthetic-apt.ts';
import { contents, factsOf } from './synthetic-rpm.ts';

export interface SyntheticYumOptions {
  readonly key: FakeKey;
  /** An empty folder for the metadata. */
  readonly folder: string;
  readonly packages: number;
  /** So many files has each package, all of them in filelists alone. */
  readonly filesEach: number;
}

export interface SyntheticYum {
  readonly url: string;
  close(): Promise<void>;
}

const TIME = 1_714_608_000;

export async function startSyntheticYum(options: SyntheticYumOptions): Promise<SyntheticYum> {
  const records: RepomdRecord[] = [];
  for (const type of METADATA_TYPES) records.push(await writeMetadata(type, options));
  const repomd = Buffer.from(repomdText({ revision: String(TIME), records }));
  const signature = Buffer.from(await options.key.detached(repomd, new Date(TIME * 1000)));
  const fixed = new Map([
    ['repodata/repomd.xml', repomd],
    ['repodata/repomd.xml.asc', signature],
  ]);
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1));
    const number = /^Packages\/p\/package-(\d+)-/.exec(path)?.[1];
    const bytes = fixed.get(path) ?? (number === undefined ? undefined : fileOf(Number(number)));
    if (bytes !== undefined) {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return;
    }
    const record = records.find((each) => each.path === path);
    if (record === undefined) response.writeHead(404).end();
    else {
      response.writeHead(200, { 'content-length': record.sizeBytes });
      createReadStream(join(options.folder, `${record.type}.xml.gz`)).pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const fileOf = (n: number): Buffer => noise(`package ${n}`, 200);

function packageOf(n: number, { packages, filesEach }: SyntheticYumOptions) {
  const name = `package-${String(n).padStart(7, '0')}`;
  const bytes = fileOf(n);
  const facts = factsOf(name, n);
  const path = (of: string, i: number): string => `/usr/share/${of}/doc/part-${i % 8}/file-${i}.html`;
  const other = `package-${String((n * 7) % packages).padStart(7, '0')}`;
  const requires = [
    ...Array.from({ length: 12 }, (_, i) => ({ name: `lib${(n * 7 + i) % 999}-${i % 6}.so.1()(64bit)` })),
    // To be found in filelists alone.
    { name: path(other, n % filesEach) },
  ];
  const own: PackageFacts = {
    ...facts,
    pkgid: hash('sha256', bytes),
    packageBytes: bytes.length,
    capabilities: { ...facts.capabilities, requires },
  };
  const files = () => Array.from({ length: filesEach }, (_, i) => ({ path: path(name, i), type: 'file' as const }));
  return { facts: own, files };
}

async function* recordsOf(type: MetadataType, options: SyntheticYumOptions): AsyncGenerator<MetadataRecord> {
  for (let n = 0; n < options.packages; n++) {
    const { facts, files } = packageOf(n, options);
    const { name, pkgid } = facts;
    const text =
      type === 'primary'
        ? primaryRecord(facts, [])
        : type === 'filelists'
          ? filelistsRecord(pkgid, facts, files())
          : otherRecord(pkgid, facts, [{ author: 'A <a@example.org> - 1', date: TIME, text: `- number ${n}` }]);
    yield { name, bytes: Buffer.from(text) };
  }
}

async function writeMetadata(type: MetadataType, options: SyntheticYumOptions): Promise<RepomdRecord> {
  const [plain, packed] = [hashing(), hashing()];
  await pipeline(
    contents(metadataPieces(type, options.packages, recordsOf(type, options))),
    plain.stream,
    createGzip({ level: 1 }),
    packed.stream,
    createWriteStream(join(options.folder, `${type}.xml.gz`)),
  );
  const [open, file] = [plain.ref(), packed.ref()];
  return {
    type,
    path: `repodata/${file.sha256}-${type}.xml.gz`,
    checksum: { algorithm: 'sha256', hex: file.sha256 },
    openChecksum: { algorithm: 'sha256', hex: open.sha256 },
    timestamp: TIME,
    sizeBytes: file.sizeBytes,
    openBytes: open.sizeBytes,
  };
}
