import { join } from 'node:path';
import { timed } from '../measure.ts';
import { archive, Kubedos } from '../tools.ts';
import { type Bench, type Figure, type Row, seconds } from '../types.ts';
import { memory } from './large-archive.ts';

const PACKAGES = 1_000_000;
const LIMIT_BYTES = 400e6;

export const million: Row = {
  name: 'million',
  about: 'memory of 1,000,000 packages',
  onDemand: true,
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const upstream = await archive(join(folder, 'upstream'), { key: kubedos.key, packages: PACKAGES });
    try {
      const spec = kubedos.spec('million', upstream.url);
      const dry = await timed(kubedos.command('mirror', 'sync', '--dry-run', spec));
      say(`dry run took ${seconds(dry.seconds)}`);
      const cold = await timed(kubedos.command('mirror', 'sync', spec));
      say(`sync took ${seconds(cold.seconds)}`);
      return [
        memory('1,000,000 packages, dry run', dry.peakBytes, LIMIT_BYTES),
        memory('1,000,000 packages, sync', cold.peakBytes, LIMIT_BYTES),
      ];
    } finally {
      await upstream.close();
    }
  },
};
