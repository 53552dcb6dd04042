/** One transfer across the gap, step by step by the command line; each stage stays as a data folder to begin from. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { withStore } from './desk.ts';
import { type FakeApt, SAMPLE_DATE, SAMPLE_DATE_LATER, startFakeApt } from './fake-apt.ts';
import { type FakeFiles, fakeArchive } from './fake-archive.ts';
import { type FakeKey, fakeKey } from './fake-key.ts';
import { fakeYum } from './fake-yum.ts';
import { writeRpm } from './write-rpm.ts';

const PACKAGES = 100;
const RPM_PACKAGES = 40;
const PACKAGE_BYTES = 4000;

export interface Stages {
  readonly upstream: FakeApt;
  /** A store that is to sync: upstream is newer. Its first snapshot is in channel stable. */
  readonly toSync: string;
  /** Synced, a second snapshot taken; channel stable names the first one. */
  readonly toMove: string;
  /** With a repository `own` of rpm packages that is empty, and was published in the year 2099: clocks do not count. */
  readonly toAdd: string;
  /** Packages for it. */
  readonly rpms: readonly string[];
  /** Channel stable names the second one. */
  readonly toExport: string;
  /** The first snapshot is deleted. */
  readonly toCollect: string;
  /** The receiver, with the first snapshot; `media` hold the second. */
  readonly toImport: string;
  readonly media: string;
}

/** `kubedos` runs one command to its end. */
export async function makeStages(dir: string, kubedos: (...args: string[]) => Promise<string>): Promise<Stages> {
  const key = await fakeKey();
  const [first, second] = await Promise.all([archive(key, '1', SAMPLE_DATE), archive(key, '2', SAMPLE_DATE_LATER)]);
  const upstream = await startFakeApt(first);
  const at = (name: string): string => join(dir, name);
  const keep = (from: string, name: string): string => {
    execFileSync('cp', ['-a', at(from), at(name)]);
    return at(name);
  };
  writeFileSync(at('archive.asc'), key.publicArmored);
  writeFileSync(at('fake.yaml'), specOf(upstream.url, key));
  writeFileSync(at('fake-rpm.yaml'), rpmSpecOf(upstream.url, key));
  writeFileSync(at('chosen-rpm.yaml'), rpmSpecOf(upstream.url, key, { rules: [{ glob: 'rpm-1*' }] }));
  const sender = (...args: string[]): Promise<string> => kubedos(...args, '--data', at('sender'));
  const receiver = (...args: string[]): Promise<string> => kubedos(...args, '--data', at('receiver'));

  await sender('init');
  await sender('key', 'import', at('archive.asc'), '--fingerprint', key.fingerprint);
  await sender('mirror', 'add', at('fake.yaml'));
  await sender('mirror', 'add', at('fake-rpm.yaml'));
  await sender('mirror', 'add', at('chosen-rpm.yaml'));
  await sender('mirror', 'sync');
  await sender('snapshot', 'create', '--channel', 'stable');
  await sender('bundle', 'export', '--channel', 'stable', '--to', at('media-1'));
  const toSync = keep('sender', 'to-sync');
  upstream.serve(second);
  await sender('mirror', 'sync');
  await sender('snapshot', 'create');
  const toMove = keep('sender', 'to-move');
  await sender('repo', 'create', 'own', '--type', 'yum');
  const toAdd = keep('sender', 'to-add');
  await setPublished(toAdd, '2099-01-01T00:00:00Z');
  const rpms = await writeRpms(at('rpms'));
  await sender('channel', 'set', 'stable', '2');
  const toExport = keep('sender', 'to-export');
  await sender('bundle', 'export', '--channel', 'stable', '--to', at('media-2'));
  const { fingerprint } = JSON.parse(await sender('key', 'root', '--json')) as { fingerprint: string };
  await sender('snapshot', 'delete', '1', '--yes');
  await receiver('init', '--trust', fingerprint);
  await receiver('bundle', 'import', at('media-1'));
  return {
    upstream,
    toSync,
    toMove,
    toAdd,
    rpms,
    toExport,
    toCollect: at('sender'),
    toImport: at('receiver'),
    media: at('media-2'),
  };
}

/** All packages in another version: an apt archive, and below rpm/ an rpm repository. */
async function archive(key: FakeKey, version: string, date: Date): Promise<FakeFiles> {
  const packages = Array.from({ length: PACKAGES }, (_, index) => ({
    name: `package-${index}`,
    version,
    paddingBytes: PACKAGE_BYTES,
  }));
  const apt = await fakeArchive({ key, suites: [{ suite: 'bookworm', components: { main: { packages } }, date }] });
  const rpms = await Promise.all(
    Array.from({ length: RPM_PACKAGES }, (_, index) =>
      writeRpm(
        { name: `rpm-${index}`, version },
        { key, payload: Buffer.alloc(PACKAGE_BYTES, `${index} ${version} `) },
      ),
    ),
  );
  const yum = await fakeYum({ key, repositories: { rpm: { packages: rpms, timestamp: date.getTime() / 1000 } } });
  return new Map([...apt, ...yum]);
}

async function setPublished(data: string, published: string): Promise<void> {
  await withStore(data, async ({ heads }) => {
    const head = await heads.read('own');
    if (head === undefined) throw new Error('there is no repository');
    await heads.write({ ...head, memory: { ...head.memory, published } }, head.manifest.root);
  });
}

async function writeRpms(folder: string): Promise<string[]> {
  const files: string[] = [];
  mkdirSync(folder);
  for (let index = 0; index < RPM_PACKAGES; index++) {
    const { bytes = Buffer.alloc(0) } = await writeRpm({ name: `own-${index}`, version: '1' });
    files.push(join(folder, `own-${index}.rpm`));
    writeFileSync(files.at(-1) ?? '', bytes);
  }
  return files;
}

function specOf(url: string, key: FakeKey): string {
  const upstream = {
    url,
    suites: ['bookworm'],
    components: ['main'],
    architectures: ['amd64'],
    keys: [{ fingerprint: key.fingerprint }],
  };
  return stringify({ name: 'fake', type: 'apt', form: 'verbatim', upstreams: [upstream] });
}

function rpmSpecOf(url: string, key: FakeKey, curate?: Record<string, unknown>): string {
  const upstreams = [{ url, repositories: ['rpm'], keys: [{ fingerprint: key.fingerprint }] }];
  const form = curate === undefined ? { form: 'verbatim' } : { form: 'curated', curate };
  return stringify({ name: curate === undefined ? 'fake-rpm' : 'chosen-rpm', type: 'yum', ...form, upstreams });
}
