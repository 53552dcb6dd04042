import type { AptSpec } from '../../src/spec/apt-spec.ts';
import { parseMirrorSpec } from '../../src/spec/mirror-spec.ts';
import type { YumSpec } from '../../src/spec/yum-spec.ts';

/** As parseMirrorSpec, of a spec that must be of that kind. */
export function parseAptSpec(text: string, file: string): AptSpec {
  const spec = parseMirrorSpec(text, file);
  if (spec.type === 'apt') return spec;
  throw new Error(`${file} is a spec of ${spec.type}`);
}

export function parseYumSpec(text: string, file: string): YumSpec {
  const spec = parseMirrorSpec(text, file);
  if (spec.type === 'yum') return spec;
  throw new Error(`${file} is a spec of ${spec.type}`);
}
