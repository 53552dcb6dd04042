import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compare, shell } from '../measure.ts';
import { archive, Kubedos, kubedosCommand, runCommand } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

const PACKAGES = 400;
const PACKAGE_BYTES = 5_000_000;

export const bundles: Row = {
  name: 'bundles',
  about: 'export and import of 2 GB',
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const sender = await Kubedos.make(join(folder, 'sender'));
    const upstream = await archive(join(folder, 'upstream'), {
      key: sender.key,
      packages: PACKAGES,
      packageBytes: PACKAGE_BYTES,
    });
    say('sync');
    await sender.run('mirror', 'sync', sender.spec('large', upstream.url));
    await upstream.close();
    await sender.run('snapshot', 'create', '--channel', 'stable');
    const root = (await sender.run('key', 'root')).trim();
    const medium = join(folder, 'medium');
    const copy = join(folder, 'copy');
    const receiver = join(folder, 'receiver');
    const again = (path: string) => async (): Promise<void> => {
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { recursive: true });
    };
    const out = await compare(
      3,
      { ...sender.command('bundle', 'export', '--channel', 'stable', '--to', medium), before: again(medium) },
      {
        argv: shell(
          'tar -cf "$2/all.tar" -C "$1" objects; sync "$2/all.tar"; sha256sum "$2/all.tar" > "$2/sum"',
          sender.data,
          copy,
        ),
        before: again(copy),
      },
    );
    const intoCopy = join(folder, 'unpacked');
    const back = await compare(
      3,
      {
        ...kubedosCommand(receiver, 'bundle', 'import', medium),
        before: async () => {
          await rm(receiver, { recursive: true, force: true });
          await runCommand(kubedosCommand(receiver, 'init', '--trust', root));
        },
      },
      {
        argv: shell('sha256sum --check --quiet "$1/sum"; tar -xf "$1/all.tar" -C "$2"; sync -f "$2"', copy, intoCopy),
        before: again(intoCopy),
      },
    );
    return [
      figure('export of 2 GB', 'tar, sync, sha256sum', out, 0.9),
      figure('import of 2 GB', 'sha256sum, tar, sync', back, 0.9),
    ];
  },
};
