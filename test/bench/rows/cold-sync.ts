import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticFile } from '../../support/synthetic-apt.ts';
import { compare, shell } from '../measure.ts';
import { Kubedos, setAside, staticArchive } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

const PACKAGES = 2_000;
/** The median of bookworm main is 70 KB. */
const PACKAGE_BYTES = 70_000;

export const coldSync: Row = {
  name: 'cold-sync',
  about: `first sync of ${PACKAGES} files from a local upstream`,
  async measure({ folder }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const options = { key: kubedos.key, packages: PACKAGES, packageBytes: PACKAGE_BYTES };
    // Neither side waits for a server that makes the files up.
    const upstream = await staticArchive(folder, join(folder, 'root'), options);
    try {
      const urls: string[] = [];
      const sums: string[] = [];
      for (let number = 0; number < PACKAGES; number++) {
        const { path, bytes } = syntheticFile(options, number, 1);
        urls.push(`url = "${upstream.url}/${path}"\noutput = "${path}"\n`);
        sums.push(`${createHash('sha256').update(bytes).digest('hex')}  ${path}\n`);
      }
      writeFileSync(join(folder, 'urls'), urls.join(''));
      writeFileSync(join(folder, 'sums'), sums.join(''));
      const copy = join(folder, 'copy');
      const spec = kubedos.spec('cold', upstream.url);
      const script = `mkdir "$2"; cd "$2"
curl --silent --show-error --fail --parallel --parallel-max 16 --create-dirs --config "$1/urls"
sha256sum --check --quiet "$1/sums"; sync -f .`;
      const compared = await compare(
        5,
        { ...kubedos.command('mirror', 'sync', spec), before: () => kubedos.anew() },
        { argv: shell(script, folder, copy), before: async () => setAside(copy) },
      );
      const work = `first sync of ${PACKAGES} files of ${PACKAGE_BYTES / 1000} KB`;
      return [figure(work, 'curl --parallel, sha256sum, sync', compared, 0.9)];
    } finally {
      await upstream.stop();
    }
  },
};
