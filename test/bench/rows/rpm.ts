import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INSTALLATION } from '../../../src/wiring.ts';
import { syntheticPrimary, syntheticRpms } from '../../support/synthetic-rpm.ts';
import { type Command, compare, shell } from '../measure.ts';
import { Kubedos } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

const LOCAL = 2000;
const MANY = 50_000;

export const rpm: Row = {
  name: 'rpm',
  about: `metadata of ${LOCAL} packages, one added to ${MANY}, and reading primary`,
  async measure(bench: Bench): Promise<Figure[]> {
    return [...(await ownMetadata(bench)), ...(await reading(bench))];
  },
};

async function ownMetadata({ folder, say }: Bench): Promise<Figure[]> {
  const kubedos = await Kubedos.make(join(folder, 'kubedos'));
  const packages = join(folder, 'packages');
  say(`making ${MANY} packages`);
  await syntheticRpms(packages, 0, LOCAL);
  // A shell of its own: so many names are too long for one command line of a test.
  const add = (glob: string): Command => ({
    argv: shell(`exec "$@" ${packages}/${glob}`, ...kubedos.command('repo', 'add', 'own').argv),
  });
  const cold = await compare(
    3,
    {
      ...add('*.rpm'),
      before: async () => {
        await kubedos.anew();
        await kubedos.run('repo', 'create', 'own', '--type', 'yum');
      },
    },
    {
      argv: ['createrepo_c', '--quiet', '--no-database', packages],
      before: () => rm(join(packages, 'repodata'), { recursive: true, force: true }),
    },
  );
  await rm(packages, { recursive: true });
  for (let from = 0; from < MANY; from += LOCAL) {
    await syntheticRpms(packages, from, from + LOCAL);
    if (from === 0) await kubedos.anew().then(() => kubedos.run('repo', 'create', 'own', '--type', 'yum'));
  }
  say(`${MANY} packages into the store`);
  await runAll(kubedos, packages);
  await compare(1, { argv: ['true'] }, { argv: ['createrepo_c', '--quiet', '--no-database', packages] });
  const [extra = ''] = await syntheticRpms(join(folder, 'extra'), MANY, MANY + 1);
  const there = join(packages, 'extra.rpm');
  const one = await compare(
    3,
    {
      ...kubedos.command('repo', 'add', 'own', extra),
      before: () => kubedos.run('repo', 'remove', 'own', `name-${MANY}`),
    },
    {
      argv: ['createrepo_c', '--quiet', '--no-database', '--update', packages],
      before: async () => {
        await rm(there, { force: true });
        await cp(extra, there);
        await rename(there, there);
      },
    },
  );
  return [
    figure(`metadata of ${LOCAL} local packages, stored and signed`, 'createrepo_c', cold, 1),
    figure(`one package added to ${MANY}`, 'createrepo_c --update', one, 20),
  ];
}

/** In parts: a command line has its limits. */
async function runAll(kubedos: Kubedos, packages: string): Promise<void> {
  const argv = kubedos.command('repo', 'add', 'own').argv;
  await compare(
    1,
    { argv: ['true'] },
    { argv: shell(`find ${packages} -name '*.rpm' | xargs -n 10000 "$@"`, ...argv) },
  );
}

async function reading({ folder }: Bench): Promise<Figure[]> {
  const file = join(folder, 'primary.xml');
  await syntheticPrimary(file, MANY);
  const script = join(folder, 'read.py');
  await writeFile(
    script,
    `import createrepo_c as c, sys\nn = 0\ndef one(p):\n  global n\n  n += 1\nc.xml_parse_primary(sys.argv[1], pkgcb=one, do_files=1)\nassert n == ${MANY}\n`,
  );
  const worker = join(INSTALLATION, 'test/bench/read-primary.mjs');
  const theirs = { argv: ['/usr/bin/python3', script, file] };
  const place = await compare(5, { argv: [process.execPath, worker, file, 'place'] }, theirs);
  const all = await compare(5, { argv: [process.execPath, worker, file, 'all'] }, theirs);
  return [
    figure(`read primary of ${MANY} packages: name, place, checksum`, 'libcreaterepo_c, all of it', place, 1),
    figure(`read primary of ${MANY} packages: all of it`, 'libcreaterepo_c', all, 1),
  ];
}
