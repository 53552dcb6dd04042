import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintOf, SAMPLE_PACKAGES, startFakeApt, twoPoints } from './fake-apt.ts';
import { buildDeb, type FakeCompression } from './fake-deb.ts';
import { fakeKey } from './fake-key.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fake-apt-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const COMPRESSIONS: readonly FakeCompression[] = ['none', 'gz', 'xz', 'zst'];
test.each(COMPRESSIONS)('dpkg-deb reads the packages (%s)', async (compression) => {
  const file = join(dir, `hello-${compression}.deb`);
  await writeFile(
    file,
    await buildDeb({ name: 'hello', version: '1.0', compression, files: { 'usr/bin/hello': '#!/bin/sh\n' } }),
  );
  expect(spawnSync('dpkg-deb', ['-f', file, 'Version'], { encoding: 'utf8' }).stdout).toBe('1.0\n');
  expect(spawnSync('dpkg-deb', ['-c', file], { encoding: 'utf8' }).stdout).toMatch(
    /-rwxr-xr-x root\/root .* \.\/usr\/bin\/hello/,
  );
});

test('gpgv accepts the Release files, and apt takes the archive and fetches a package', async () => {
  const key = await fakeKey();
  const upstream = await startFakeApt((await twoPoints(key)).first);
  try {
    await writeFile(join(dir, 'key.asc'), key.publicArmored);
    const sources = `deb [signed-by=${join(dir, 'key.asc')} arch=amd64] ${upstream.url} bookworm main\n`;
    await writeFile(join(dir, 'sources.list'), sources);
    await mkdir(join(dir, 'lists/partial'), { recursive: true });
    await mkdir(join(dir, 'cache/archives/partial'), { recursive: true });
    const options = [
      ['Dir::Etc::SourceList', join(dir, 'sources.list')],
      ['Dir::Etc::SourceParts', '/dev/null'],
      ['Dir::State::Lists', join(dir, 'lists')],
      ['Dir::Cache', join(dir, 'cache')],
      ['APT::Architecture', 'amd64'],
      ['APT::Sandbox::User', ''],
      ['Acquire::http::Proxy', 'DIRECT'],
    ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const apt = async (...argv: string[]): Promise<string> => {
      const child = spawn('apt-get', [...options, ...argv], { cwd: dir });
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      const status = await new Promise((resolve) => child.on('close', resolve));
      return `${output}status ${status}`;
    };
    const update = await apt('update');
    expect(update).toMatch(/status 0$/);
    expect(update).not.toMatch(/^[WE]:/m);
    expect(await apt('download', 'hello', 'tool')).toMatch(/status 0$/);
    expect((await readFile(join(dir, 'hello_1.0-1_amd64.deb'))).length).toBeGreaterThan(100);
  } finally {
    await upstream.close();
  }
});

test('the same description gives the same bytes, signatures aside', async () => {
  const key = await fakeKey();
  const unsigned = () => twoPoints(key, (suite) => ({ ...suite, form: 'unsigned' }));
  const [a, b] = [await unsigned(), await unsigned()];
  expect(fingerprintOf(a.first)).toBe(fingerprintOf(b.first));
  expect(fingerprintOf(a.first)).not.toBe(fingerprintOf(a.second));
  expect([...a.first.keys()].filter((path) => path.endsWith('.deb'))).toHaveLength(SAMPLE_PACKAGES.length);
});
