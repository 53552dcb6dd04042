import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticPath } from '../../support/synthetic-apt.ts';
import { compare } from '../measure.ts';
import { Kubedos, nginx, runCommand, staticArchive } from '../tools.ts';
import { type Bench, type Figure, figure, type Row } from '../types.ts';

const SMALL = { packages: 1_000, packageBytes: 30_000 };
const LARGE = { packages: 1, packageBytes: 2 ** 30 };
const CONNECTIONS = 32;
const PAIRS = 5;

export const serve: Row = {
  name: 'serve',
  about: 'a file of 1 GiB, and files of 30 KB at 32 connections',
  async measure({ folder, say }: Bench): Promise<Figure[]> {
    const kubedos = await Kubedos.make(join(folder, 'kubedos'));
    const root = join(folder, 'root');
    for (const [name, options] of Object.entries({ small: SMALL, large: LARGE })) {
      say(`sync of ${name} files`);
      const upstream = await staticArchive(join(folder, name), join(root, 'c/stable', name), {
        key: kubedos.key,
        ...options,
      });
      await kubedos.run('mirror', 'sync', kubedos.spec(name, upstream.url));
      await upstream.stop();
    }
    await kubedos.run('snapshot', 'create', '--channel', 'stable');
    const script = join(folder, 'wrk.lua');
    writeFileSync(
      script,
      `local n = 0
request = function()
  n = (n + 7) % ${SMALL.packages}
  return wrk.format("GET", string.format("/c/stable/small/pool/main/p%d/package-%d_1_amd64.deb", n % 1000, n))
end\n`,
    );
    const ours = await kubedos.serve();
    const theirs = await nginx(join(folder, 'nginx'), root);
    try {
      const path = syntheticPath(0, 1);
      const one = (url: string) => ({
        argv: ['curl', '--silent', '--fail', '--output', '/dev/null', `${url}/c/stable/large/${path}`],
      });
      await runCommand(one(ours.url));
      await runCommand(one(theirs.url));
      const large = await compare(PAIRS, one(ours.url), one(theirs.url));
      // What both have served before, as a fleet asks for it: not the first second after a start.
      const rate = async (url: string, seconds = 4): Promise<number> => {
        const argv = ['wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', String(seconds), '-s', script, url];
        const output = await runCommand({ argv });
        if (/Non-2xx/.test(output)) throw new Error(output);
        return Number(/Requests\/sec: +([\d.]+)/.exec(output)?.[1]);
      };
      await rate(ours.url, 8);
      await rate(theirs.url, 2);
      const rates: { mine: number; other: number }[] = [];
      for (let pair = 0; pair < PAIRS; pair++)
        rates.push({ mine: await rate(ours.url), other: await rate(theirs.url) });
      rates.sort((a, b) => a.mine / a.other - b.mine / b.other);
      const small = rates[PAIRS >> 1] as (typeof rates)[number];
      const gigabytes = (seconds: number): string => `${(LARGE.packageBytes / 1e9 / seconds).toFixed(2)} GB/s`;
      return [
        {
          ...figure('serve a file of 1 GiB', 'nginx, sendfile', large, 0.7),
          ours: gigabytes(large.ours.seconds),
          theirs: gigabytes(large.theirs.seconds),
        },
        {
          work: `serve files of 30 KB at ${CONNECTIONS} connections`,
          ours: `${Math.round(small.mine)}/s`,
          against: 'nginx, sendfile, one worker',
          theirs: `${Math.round(small.other)}/s`,
          ratio: small.mine / small.other,
          reach: '≥ 0.4×',
          reached: small.mine / small.other >= 0.4,
        },
      ];
    } finally {
      await ours.stop();
      await theirs.stop();
    }
  },
};
