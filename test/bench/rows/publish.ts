import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { INSTALLATION } from '../../../src/wiring.ts';
import { syntheticFile } from '../../support/synthetic-apt.ts';
import { type Command, compare } from '../measure.ts';
import { Aptly, archive, Kubedos, runCommand } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

const PACKAGES = 63_000;

export const publish: Row = {
  name: 'publish',
  about: `our own index of ${PACKAGES} packages: cold, and after one change`,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const aptly = await Aptly.make(join(folder, 'aptly'), kubedos.key);
    const states = ['one', 'two'] as const;
    for (const [at, state] of states.entries()) {
      const options = { key: kubedos.key, packages: PACKAGES, upgraded: at };
      const upstream = await archive(join(folder, `upstream-${state}`), options);
      say(`aptly takes state ${state}`);
      await aptly.mirror(state, upstream.url);
      await runCommand(aptly.update(state));
      await aptly.run('snapshot', 'create', state, 'from', 'mirror', state);
      await upstream.close();
      writeFileSync(join(folder, state), sortedIndex(at));
    }
    const file = join(folder, 'state.json');
    let turn = 0;
    const ours = (): Command => ({
      argv: [
        process.execPath,
        join(INSTALLATION, 'test/bench/publish-worker.mjs'),
        kubedos.data,
        join(folder, states[turn % 2] as string),
        file,
      ],
    });
    const options = ['-skip-signing', '-skip-contents', '-skip-bz2'];
    const cold = await compare(
      3,
      {
        ...ours(),
        before: async () => {
          await rm(file, { force: true });
          await kubedos.anew();
        },
      },
      {
        ...aptly.command('publish', 'snapshot', ...options, '-distribution=synthetic', 'one'),
        before: () => aptly.run('publish', 'drop', 'synthetic').catch(() => undefined),
      },
    );
    const changes = [];
    for (turn = 1; turn <= 3; turn++) {
      const state = states[turn % 2] as string;
      changes.push(await compare(1, ours(), aptly.command('publish', 'switch', ...options, 'synthetic', state)));
    }
    changes.sort((a, b) => a.ratio - b.ratio);
    const [, change] = changes as [unknown, (typeof changes)[number]];
    return [
      figure(`publish ${PACKAGES} packages, signed`, 'aptly publish snapshot, unsigned', cold, 2),
      figure('publish again after one change', 'aptly publish switch', change, 20),
    ];
  },
};

/** Sorted by the bytes of the name, as an index is. */
function sortedIndex(upgraded: number): string {
  const packages = Array.from({ length: PACKAGES }, (_, number) => ({
    name: `package-${number}`,
    stanza: syntheticFile({}, number, number === 1 && upgraded > 0 ? 2 : 1).stanza,
  }));
  packages.sort((a, b) => (a.name < b.name ? -1 : 1));
  return packages.map(({ stanza }) => stanza).join('');
}
