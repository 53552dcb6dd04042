/** A verified Release must be of the suite that was asked for. Pure. */
import { KubedosError } from '../../errors.ts';
import type { Release } from '../../formats/apt/release.ts';
import { type AptUpstream, isFlatSuite } from '../../spec/apt-spec.ts';

/** One key signs many suites: without this, a mirror could give oldstable for stable. */
export function checkSuite(release: Release, suite: string, upstream: AptUpstream, source: string): void {
  if (isFlatSuite(suite)) return;
  const claimed = [release.suite, release.codename].filter((name) => name !== undefined && name !== '');
  if (claimed.length === 0) return;
  if (claimed.some((name) => name === suite || upstream.signedAs.includes(name as string))) return;
  throw new KubedosError(
    'trust.other-suite',
    `verify Release of ${source}: it is signed as ${claimed.join(', ')}, expected ${suite}`,
    {
      hint: `if that is as it should be, add \`signedAs: [${claimed[0]}]\` to the upstream in the spec`,
    },
  );
}
