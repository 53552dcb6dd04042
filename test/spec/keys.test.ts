import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMirrorSpec } from '../../src/spec/mirror-spec.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Primary keys of a key file, binary or armoured (several blocks too), as GnuPG reads it. */
function fingerprints(file: string): string[] {
  const listed = spawnSync('gpg', ['--batch', '--show-keys', '--with-colons', file], { encoding: 'utf8' }).stdout;
  return [...listed.matchAll(/^pub:.*\n(?:rvk:.*\n)*fpr:+([0-9A-F]+):/gm)].map((match) => match[1] ?? '');
}
const keyFile = (name: string): string => join(ROOT, 'keys', name);

test('keys of Debian are those of debian-archive-keyring, and no others', async () => {
  const names = (await readdir(join(ROOT, 'keys'))).filter((name) => name.startsWith('debian-'));
  expect(names.length).toBe(6);
  for (const name of names) {
    const [, kind, release] = /^debian-(\w+)-(\d+)\.asc$/.exec(name) ?? [];
    const suite = release === '12' ? 'bookworm' : 'trixie';
    const suffix = { archive: 'automatic', security: 'security-automatic', release: 'stable' }[kind ?? ''];
    const file = `/usr/share/keyrings/debian-archive-${suite}-${suffix}.gpg`;
    const [fingerprint, ...more] = fingerprints(keyFile(name));
    expect(fingerprint).toMatch(/^[0-9A-F]{40}$/);
    expect(more).toEqual([]);
    expect(fingerprints(file)).toEqual([fingerprint]);
  }
});

describe('every pin of a shipped spec', async () => {
  const files = (await readdir(join(ROOT, 'mirror-specs'))).filter((name) => name.endsWith('.yaml'));
  test.each(files)('%s names the fingerprint of its key file, which docs/keys.md lists', async (file) => {
    const spec = parseMirrorSpec(await readFile(join(ROOT, 'mirror-specs', file), 'utf8'), file);
    const page = await readFile(join(ROOT, 'docs/keys.md'), 'utf8');
    for (const { fingerprint, file: key = '' } of spec.upstreams.flatMap((upstream) => upstream.keys)) {
      expect(fingerprints(keyFile(key))).toEqual([fingerprint]);
      expect(page).toMatch(new RegExp(`^\\| *${key} *\\| *${fingerprint} *\\|`, 'm'));
    }
  });
});

/** Packages of the Debian archive that carry the third parties' keys; apt verified them when they were installed. */
describe('keys of third parties equal those in Debian packages', () => {
  const EXTREPO = '/usr/share/extrepo/offline-data/debian/bookworm';
  test.each([
    ['docker.asc', `${EXTREPO}/docker-ce.asc`],
    ['grafana.asc', `${EXTREPO}/grafana.asc`],
    ['hashicorp.asc', `${EXTREPO}/hashicorp.asc`],
    ['proxmox-12.asc', `${EXTREPO}/proxmox-pve8.asc`],
    ['postgresql.asc', `${EXTREPO}/postgresql.asc`],
  ])('%s', (name, file) => {
    const [fingerprint, ...more] = fingerprints(keyFile(name));
    expect(more).toEqual([]);
    expect(fingerprints(file)).toContain(fingerprint);
  });
});
