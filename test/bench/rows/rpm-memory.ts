import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSyntheticYum } from '../../support/synthetic-yum.ts';
import { timed } from '../measure.ts';
import { Kubedos } from '../tools.ts';
import { type Bench, type Figure, type Row, seconds } from '../types.ts';
import { memory } from './large-archive.ts';

const PACKAGES = 250_000;
const FILES_EACH = 40;
const LIMIT_BYTES = 300e6;

export const rpmMemory: Row = {
  name: 'rpm-memory',
  about: `memory of ${PACKAGES} rpm packages with ${PACKAGES * FILES_EACH} files`,
  onDemand: true,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const metadata = join(folder, 'upstream');
    mkdirSync(metadata);
    say('writing metadata');
    const upstream = await startSyntheticYum({
      key: kubedos.key,
      folder: metadata,
      packages: PACKAGES,
      filesEach: FILES_EACH,
    });
    try {
      const spec = (name: string, rest: string): string => {
        const file = join(folder, `${name}.yaml`);
        const keys = `keys: [{ fingerprint: ${kubedos.key.fingerprint} }]`;
        writeFileSync(
          file,
          `name: ${name}\ntype: yum\n${rest}upstreams:\n  - url: ${upstream.url}\n    verify: [metadata]\n    ${keys}\n`,
        );
        return file;
      };
      const verbatim = spec('verbatim', 'form: verbatim\n');
      const curated = spec('curated', 'form: curated\ncurate:\n  rules: [{ glob: "*" }]\n');
      const measure = async (work: string, ...args: string[]): Promise<Figure> => {
        const { peakBytes, seconds: taken } = await timed(kubedos.command('mirror', 'sync', ...args));
        say(`${work}: ${seconds(taken)}`);
        return memory(`${PACKAGES} rpm packages, ${work}`, peakBytes, LIMIT_BYTES);
      };
      return [
        await measure('dry run', '--dry-run', verbatim),
        await measure('all of them chosen, dry run', '--dry-run', curated),
        await measure('sync', verbatim),
        await measure('all of them chosen, sync', curated),
      ];
    } finally {
      await upstream.close();
    }
  },
};
