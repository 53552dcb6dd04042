/**
 * A repository as a distribution has it, by rpmbuild, rpmsign, createrepo_c and gpg: packages signed by an RSA and by an
 * Ed25519 key, groups, advisories, modules, signed metadata. It installs into an empty root: nothing in it runs a shell.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildRpms, createRepo } from './build-rpm.ts';

const run = promisify(execFile);

export interface SignedRpmRepo {
  /** Holds Packages/ and repodata/. */
  readonly folder: string;
  /** Of the RSA key, which signs the metadata too, and of the Ed25519 key. */
  readonly fingerprints: readonly [string, string];
  /** ASCII-armoured, both. */
  readonly keysFile: string;
  /** Makes the metadata anew from what lies in Packages/, and signs it. */
  refresh(): Promise<void>;
  /** Adds what a spec describes, signed by the RSA key. */
  add(spec: string): Promise<void>;
}

const SPEC = `Name: app
Version: 1.0
Release: 1
Summary: an application
License: MIT
BuildArch: noarch
Requires: lib >= 2, (tool or tool-ng)
Recommends: app-doc
%description
An application.
%package -n app-doc
Summary: its documentation
%description -n app-doc
Reads well.
%package -n lib
Version: 2.5
Epoch: 1
Summary: a library
Provides: lib-abi = 2
%description -n lib
A library.
%package -n tool
Summary: a tool
Requires: lib-abi = 2
%description -n tool
A tool.
%package -n mod
Version: 2.10
Summary: of a module
%description -n mod
In a stream.
%install
for name in app app-doc lib tool mod; do
  mkdir -p %{buildroot}/usr/share/$name
  echo "$name" > %{buildroot}/usr/share/$name/name
done
%files
/usr/share/app
%files -n app-doc
/usr/share/app-doc
%files -n lib
/usr/share/lib
%files -n tool
/usr/share/tool
%files -n mod
/usr/share/mod
`;

const COMPS = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>apps</id>
    <name>Applications</name>
    <description>All of them</description>
    <default>true</default>
    <uservisible>true</uservisible>
    <packagelist>
      <packagereq type="mandatory">tool</packagereq>
      <packagereq type="optional">app-doc</packagereq>
    </packagelist>
  </group>
</comps>
`;

const UPDATEINFO = `<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="security@example.org" status="final" type="security" version="1">
    <id>EX-2024:0001</id>
    <title>Important: lib security update</title>
    <issued date="2024-05-02 00:00:00"/>
    <updated date="2024-05-02 00:00:00"/>
    <severity>Important</severity>
    <description>A hole is closed.</description>
    <references>
      <reference href="https://example.org/CVE-2024-12345" id="CVE-2024-12345" type="cve" title="CVE-2024-12345"/>
    </references>
    <pkglist>
      <collection short="ex">
        <name>Example</name>
        <package name="lib" version="2.5" release="1" epoch="1" arch="noarch" src="app-1.0-1.src.rpm">
          <filename>lib-2.5-1.noarch.rpm</filename>
        </package>
      </collection>
    </pkglist>
  </update>
</updates>
`;

const MODULES = `---
document: modulemd
version: 2
data:
  name: mod
  stream: "2.10"
  version: 1
  context: abcd1234
  arch: x86_64
  summary: a module
  description: A module of one package.
  license:
    module: [MIT]
  profiles:
    default:
      rpms: [mod]
  artifacts:
    rpms:
    - mod-0:2.10-1.noarch
...
---
document: modulemd-defaults
version: 1
data:
  module: mod
  stream: "2.10"
  profiles:
    "2.10": [default]
...
`;

/** Some seconds. */
export async function signedRpmRepo(dir: string): Promise<SignedRpmRepo> {
  const folder = join(dir, 'repo');
  const packages = join(folder, 'Packages');
  const home = join(dir, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const env = { ...process.env, GNUPGHOME: home, LC_ALL: 'C.UTF-8' };
  const gpg = async (...args: string[]) => (await run('gpg', ['--batch', '--quiet', ...args], { env })).stdout;
  const keys = ['RSA', 'Ed25519'].map((name) => `${name} <${name.toLowerCase()}@example.org>`) as [string, string];
  for (const [at, algorithm] of ['rsa3072', 'ed25519'].entries())
    await gpg('--passphrase', '', '--quick-generate-key', keys[at] as string, algorithm, 'sign', 'never');
  const fingerprints = (await gpg('--with-colons', '--list-keys'))
    .split('\n')
    .flatMap((line) => (line.startsWith('fpr:') ? [line.split(':')[9] ?? ''] : [])) as [string, string];
  const keysFile = join(dir, 'keys.asc');
  await writeFile(keysFile, await gpg('--armor', '--export'));

  const sign = async (key: string, files: readonly string[]): Promise<void> => {
    if (files.length > 0)
      await run('rpmsign', ['--define', `_gpg_name ${key}`, '--define', '__gpg /usr/bin/gpg', '--addsign', ...files], {
        env,
      });
  };
  const build = async (spec: string, keyOf: (at: number) => string): Promise<void> => {
    const fresh = join(dir, `fresh-${Date.now()}`);
    const names = (await buildRpms(Buffer.from(spec), fresh, fresh)).filter((name) => !name.endsWith('.src.rpm'));
    await mkdir(packages, { recursive: true });
    for (const [at, name] of names.entries()) {
      await sign(keyOf(at), [join(fresh, name)]);
      await rename(join(fresh, name), join(packages, name));
    }
  };
  const texts = { 'comps.xml': COMPS, 'updateinfo.xml': UPDATEINFO, 'modules.yaml': MODULES };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(dir, name), text);
  const repo: SignedRpmRepo = {
    folder,
    fingerprints,
    keysFile,
    async refresh() {
      await createRepo(folder, '--groupfile', join(dir, 'comps.xml'));
      const repodata = join(folder, 'repodata');
      for (const type of ['updateinfo.xml', 'modules.yaml'])
        await run('modifyrepo_c', [join(dir, type), repodata, '--mdtype', type.split('.')[0] ?? '']);
      await gpg('--yes', '--armor', '--local-user', fingerprints[0], '--detach-sign', join(repodata, 'repomd.xml'));
    },
    async add(spec) {
      await build(spec, () => keys[0]);
      await repo.refresh();
    },
  };
  await build(SPEC, (at) => keys[at % 2] as string);
  await repo.refresh();
  if ((await readdir(packages)).length !== 5) throw new Error('rpmbuild made other packages than expected');
  return repo;
}
