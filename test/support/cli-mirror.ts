/** A curated mirror of a fake upstream, as the command line is told about it. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { CommandLine } from './command-line.ts';
import { type FakeApt, SAMPLE_DATE, SAMPLE_PACKAGES, startFakeApt } from './fake-apt.ts';
import { fakeArchive } from './fake-archive.ts';
import { fakeKey } from './fake-key.ts';

export interface CliMirror {
  readonly upstream: FakeApt;
  /** For `mirror sync`. The store must be there before, since the upstream's key is imported. */
  readonly spec: string;
}

/** The mirror `site`: hello and what it depends on, in a suite of our own. */
export async function curatedMirror(line: CommandLine): Promise<CliMirror> {
  const key = await fakeKey();
  const components = { main: { packages: SAMPLE_PACKAGES } };
  const upstream = await startFakeApt(
    await fakeArchive({ key, suites: [{ suite: 'bookworm', components, date: SAMPLE_DATE }] }),
  );
  const spec = line.path('site.yaml');
  const { fingerprint } = key;
  writeFileSync(
    spec,
    stringify({
      name: 'site',
      type: 'apt',
      form: 'curated',
      upstreams: [
        {
          url: upstream.url,
          suites: ['bookworm'],
          components: ['main'],
          architectures: ['amd64'],
          keys: [{ fingerprint }],
        },
      ],
      curate: { suite: 'site', rules: [{ name: 'hello' }] },
    }),
  );
  writeFileSync(line.path('upstream.asc'), key.publicArmored);
  await line.must(['key', 'import', line.path('upstream.asc'), '--fingerprint', fingerprint]);
  return { upstream, spec };
}
