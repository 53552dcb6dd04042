/** The repositories of a spec: each upstream, path and architecture once. */
import { KubedosError } from '../../errors.ts';
import { expandVars } from '../../formats/rpm/variables.ts';
import type { YumSpec, YumUpstream } from '../../spec/yum-spec.ts';

export interface RepositoryRequest {
  readonly key: string;
  /** "https://host/pub/example/9 BaseOS/x86_64/os". */
  readonly source: string;
  readonly upstream: YumUpstream;
  /** Place of the upstream in the spec. */
  readonly upstreamIndex: number;
  /** Value of $basearch, where there is one. */
  readonly basearch: string | undefined;
  /** Path in a verbatim mirror; empty for its root. */
  readonly folder: string;
  /** Roots in order of preference. Of `url:` all paths of the mirror are below them; of a list, those of the repository. */
  readonly urls: readonly string[];
  /** Where `urls` are asked for. */
  readonly list?: MirrorList | undefined;
}

export interface MirrorList {
  readonly kind: 'metalink' | 'mirrorlist';
  readonly url: string;
}

/** A path of the mirror, as it is below the roots. */
export function remotePath({ folder, list }: RepositoryRequest, path: string): string {
  return list !== undefined && folder !== '' && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}

/** `spec.invalid` where two of a verbatim mirror would lie at one path, or a variable has no value. */
export function repositoryRequests(spec: YumSpec): RepositoryRequest[] {
  const found = new Map<string, RepositoryRequest>();
  for (const [upstreamIndex, upstream] of spec.upstreams.entries()) {
    const architectures = upstream.architectures.length === 0 ? [undefined] : upstream.architectures;
    for (const path of upstream.repositories) {
      for (const basearch of architectures) {
        const request = requestOf(spec, { upstream, upstreamIndex, path, basearch });
        const other = found.get(request.key);
        if (other !== undefined && other.source !== request.source)
          throw new KubedosError(
            'spec.invalid',
            `${spec.name}: ${other.source} and ${request.source} would lie at one path, ${request.folder || '.'}`,
            { hint: 'give them paths of their own: repositories:' },
          );
        found.set(request.key, request);
      }
    }
  }
  return [...found.values()];
}

function requestOf(
  spec: YumSpec,
  at: {
    readonly upstream: YumUpstream;
    readonly upstreamIndex: number;
    readonly path: string;
    readonly basearch: string | undefined;
  },
): RepositoryRequest {
  const { upstream, upstreamIndex, basearch } = at;
  const vars = { ...upstream.vars, releasever: upstream.releasever, basearch, arch: basearch };
  const expand = (text: string): string => {
    const { text: expanded, unknown } = expandVars(text, vars);
    if (unknown.length === 0) return expanded;
    throw new KubedosError('spec.invalid', `${spec.name}: $${unknown[0]} in ${text} has no value`, {
      hint: 'give it one under vars:',
    });
  };
  const path = expand(at.path);
  const folder = path === '.' ? '' : path;
  const urls = (upstream.url ?? []).map((url) => expand(url).replace(/\/+$/, ''));
  const list = listOf(upstream, expand);
  const source = `${list?.url ?? urls[0]} ${folder || '.'}`;
  // Those of a curated mirror become one: each may lie at the root of its upstream.
  const key = spec.form === 'curated' ? `${upstreamIndex} ${folder || '.'}` : folder || '.';
  return { key, source, upstream, upstreamIndex, basearch, folder, urls, list };
}

function listOf({ metalink, mirrorlist }: YumUpstream, expand: (text: string) => string): MirrorList | undefined {
  if (metalink !== undefined) return { kind: 'metalink', url: expand(metalink) };
  return mirrorlist === undefined ? undefined : { kind: 'mirrorlist', url: expand(mirrorlist) };
}

/** Values of $basearch, each once; one empty one where none is told. A repository without one is of all of them. */
export function architecturesOf({ upstreams }: YumSpec): string[] {
  const found = new Set(upstreams.flatMap(({ architectures }) => architectures));
  return found.size === 0 ? [''] : [...found];
}
