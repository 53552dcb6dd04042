import { join } from 'node:path';
import { compare, timed } from '../measure.ts';
import { Aptly, archive, Kubedos, runCommand } from '../tools.ts';
import { type Bench, type Figure, figure, megabytes, type Row } from '../types.ts';

const PACKAGES = 63_000;
const CHANGED = 100;
const LIMIT_BYTES = 200e6;

/** A no-op sync, a snapshot and a diff after 100 changes, and the memory of the first sync. */
export const largeArchive: Row = {
  name: 'large-archive',
  about: `${PACKAGES} packages: sync without changes, snapshot, diff, memory`,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const aptly = await Aptly.make(join(folder, 'aptly'), kubedos.key);
    const figures: Figure[] = [];

    const first = await archive(join(folder, 'first'), { key: kubedos.key, packages: PACKAGES });
    const port = Number(new URL(first.url).port);
    say('first sync');
    const cold = await timed(kubedos.command('mirror', 'sync', kubedos.spec('large', first.url)));
    figures.push(memory('first sync', cold.peakBytes));
    await kubedos.run('mirror', 'add', kubedos.spec('large', first.url));
    say('first mirror update of aptly');
    await aptly.mirror('large', first.url);
    await timed(aptly.update('large'));
    const noop = await compare(5, kubedos.command('mirror', 'sync', 'large'), aptly.update('large'));
    figures.push(figure('sync without changes', 'aptly mirror update', noop, 10));
    await kubedos.run('snapshot', 'create');
    await aptly.run('snapshot', 'create', 'first', 'from', 'mirror', 'large');
    await first.close();

    const date = new Date('2024-05-02T00:00:00Z');
    const options = { key: kubedos.key, packages: PACKAGES, upgraded: CHANGED, date, port };
    const second = await archive(join(folder, 'second'), options);
    say('sync of the changes');
    const changes = await timed(kubedos.command('mirror', 'sync', 'large'));
    figures.push(memory(`sync of ${CHANGED} changes`, changes.peakBytes));
    await timed(aptly.update('large'));
    await second.close();

    const [older] = await snapshots(kubedos);
    let before = 0;
    const create = await compare(
      3,
      {
        ...kubedos.command('snapshot', 'create'),
        before: async () => {
          for (const id of await snapshots(kubedos))
            if (id !== older) await kubedos.run('snapshot', 'delete', id, '--yes');
          before = await bytesOf(kubedos);
        },
      },
      {
        ...aptly.command('snapshot', 'create', 'second', 'from', 'mirror', 'large'),
        before: () => aptly.run('snapshot', 'drop', 'second').catch(() => undefined),
      },
    );
    const added = (await bytesOf(kubedos)) - before;
    const newer = (await snapshots(kubedos)).find((id) => id !== older) ?? '';
    const diff = await compare(
      5,
      kubedos.command('snapshot', 'diff', older ?? '', newer),
      aptly.command('snapshot', 'diff', '-only-matching=false', 'first', 'second'),
    );
    for (const [work, compared] of [
      ['snapshot create', create],
      ['snapshot diff', diff],
    ] as const)
      figures.push(figure(`${work} after ${CHANGED} changes`, `aptly ${work}`, compared, 20));
    figures.push({
      work: 'snapshot create: what it adds to the store',
      ours: `${Math.ceil(added / 1000)} KB`,
      against: '–',
      theirs: '',
      reach: '≤ 100 KB',
      reached: added <= 100_000,
    });
    return figures;
  },
};

async function snapshots(kubedos: Kubedos): Promise<string[]> {
  return JSON.parse(await kubedos.run('snapshot', 'list', '--json')).map(({ id }: { id: string }) => id);
}

/** Of everything in the data folder, as files are long. */
async function bytesOf(kubedos: Kubedos): Promise<number> {
  return Number.parseInt(await runCommand({ argv: ['du', '--bytes', '--summarize', kubedos.data] }), 10);
}

export function memory(work: string, bytes: number, limit = LIMIT_BYTES): Figure {
  return {
    work: `${work}: memory at its peak`,
    ours: megabytes(bytes),
    against: '–',
    theirs: '',
    reach: `≤ ${megabytes(limit)}`,
    reached: bytes <= limit,
  };
}
