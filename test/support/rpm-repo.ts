/**
 * A repository of several hundred packages and its metadata by createrepo_c: those of hard.spec, mixtures of all that
 * rpmbuild takes, and packages written by hand for what rpmbuild of today does not make.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildRpms, createRepo, hardSpec, specBytes } from './build-rpm.ts';
import { mixedSpec } from './rpm-repo-spec.ts';
import { writtenRpms } from './rpm-repo-written.ts';
import { seededDraw } from './seed.ts';

const TARGETS = ['x86_64', 'i686', 'x86_64', 'x86_64', 'i686', 'x86_64', 'x86_64', 'x86_64'];
const PACKAGES_EACH = 40;

/** Without its source, in two languages; `trans`: what runs before and after the whole transaction has needs of its own. */
const SMALL_SPEC = `Name: small
Version: 1
Release: 1
Summary: of which others are built
License: MIT
Source0: secret
NoSource: 0
%description
Small.
%package -n zwei
Summary: two
Summary(de): zwei
Group: Some/Group
Group(de): Eine/Gruppe
%description -n zwei
In two languages.
%description -n zwei -l de
In zwei Sprachen.
%files -n zwei
%package -n trans
Summary: with scripts of the transaction
Requires(pretrans): before
Requires(posttrans): after >= 1
%description -n trans
Scripts.
%pretrans -n trans -p <lua>
-- nothing
%posttrans -n trans -p /usr/bin/python3
# nothing
%files -n trans
`;

/** Folder of the repository; some seconds. */
export async function rpmRepo(dir: string): Promise<string> {
  const repo = join(dir, 'repo');
  const draw = seededDraw('mixed rpm packages');
  const mixed = TARGETS.map((target, i) => ({ target, spec: specBytes(mixedSpec(draw, `mix${i}`, PACKAGES_EACH)) }));
  // Two at a time: rpmbuild itself compresses by several threads.
  const halves = [0, 1].map(async (half) => {
    for (const [i, { target, spec }] of mixed.entries())
      if (i % 2 === half) await buildRpms(spec, repo, join(dir, `mix${i}`), '--nodeps', '--target', target);
  });
  await writeFile(join(dir, 'secret'), '');
  const others = [
    buildRpms(await hardSpec(), repo, join(dir, 'hard')),
    buildRpms(Buffer.from(SMALL_SPEC), repo, join(dir, 'small'), '--define', `_sourcedir ${dir}`),
    writtenRpms(repo),
  ];
  await Promise.all([...halves, ...others]);
  await createRepo(repo);
  return repo;
}
