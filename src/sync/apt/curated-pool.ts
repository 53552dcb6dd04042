/** Where the chosen packages of a curated mirror lie, and where they come from. */
import type { AptSpec } from '../../spec/apt-spec.ts';
import type { OwnPlaces } from '../curate/pool-places.ts';

/** `pool/upstream-2/main/h/hello/hello_1_all.deb`, for the second upstream of the spec. */
function ownPath(path: string, upstreamIndex: number): string {
  return `pool/upstream-${upstreamIndex + 1}/${path.replace(/^pool\//, '')}`;
}

/** Where a path of a mirror's pool may be found upstream, most likely first. */
export function* upstreamPaths(
  spec: AptSpec,
  path: string,
): Generator<{ readonly upstreamIndex: number; readonly path: string }> {
  const [, number, rest] = /^pool\/upstream-(\d+)\/(.+)$/.exec(path) ?? [];
  if (spec.form === 'curated' && number !== undefined && rest !== undefined) {
    const upstreamIndex = Number(number) - 1;
    yield { upstreamIndex, path: `pool/${rest}` };
    yield { upstreamIndex, path: rest };
  }
  for (const upstreamIndex of spec.upstreams.keys()) yield { upstreamIndex, path };
}

export const APT_PLACES: OwnPlaces = { isOurs: (path) => path.startsWith('dists/'), ownPath };
