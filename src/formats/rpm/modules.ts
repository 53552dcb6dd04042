/**
 * modules.yaml, the `modules` record of repomd.xml: module streams, defaults, obsoletes, translations (yaml_specs/ of
 * libmodulemd).
 */
import { isMap, type ModuleDocument, mapAt, textAt, type YamlMap, type YamlValue } from './modules-text.ts';
import type { Nevra } from './package.ts';

export interface ModuleStream {
  readonly name: string;
  readonly stream: string;
  /** A number of 64 bits, in digits. */
  readonly version: string;
  readonly context: string;
  readonly arch: string;
  /** The context was given by the packager, and stays from build to build. */
  readonly staticContext: boolean;
  /** `name-epoch:version-release.arch`, of all architectures and sources. */
  readonly artifacts: readonly string[];
  /** Names of packages by profile. */
  readonly profiles: ReadonlyMap<string, readonly string[]>;
  /** Alternatives; each gives the streams that will do by module: `[]` for any, `-f28` for any but that. */
  readonly requires: readonly ReadonlyMap<string, readonly string[]>[];
}

export interface ModuleDefaults {
  readonly module: string;
  readonly stream?: string | undefined;
  /** Names of profiles by stream. */
  readonly profiles: ReadonlyMap<string, readonly string[]>;
}

/** `undefined` for a document of another kind, and one without a name or stream, as packagers have them. */
export function moduleStream({ document, data }: ModuleDocument): ModuleStream | undefined {
  const [name, stream] = [textAt(data, 'name'), textAt(data, 'stream')];
  if (!/^modulemd(?:-stream)?$/.test(document) || name === '' || stream === '') return undefined;
  const dependencies = data.get('dependencies');
  return {
    name,
    stream,
    version: textAt(data, 'version'),
    context: textAt(data, 'context'),
    arch: textAt(data, 'arch'),
    staticContext: textAt(data, 'static_context').toLowerCase() === 'true',
    artifacts: textsOf(mapAt(data, 'artifacts').get('rpms')),
    profiles: textLists(mapAt(data, 'profiles'), (profile) => (isMap(profile) ? profile.get('rpms') : undefined)),
    // Version 1 has a single mapping, with one stream a module.
    requires: (Array.isArray(dependencies) ? dependencies : [dependencies])
      .filter(isMap)
      .map((each) => textLists(mapAt(each, 'requires'), (streams) => streams)),
  };
}

export function moduleDefaults({ document, data }: ModuleDocument): ModuleDefaults | undefined {
  const module = textAt(data, 'module');
  if (document !== 'modulemd-defaults' || module === '') return undefined;
  const profiles = textLists(mapAt(data, 'profiles'), (names) => names);
  return { module, stream: textAt(data, 'stream') || undefined, profiles };
}

/** Of `name-epoch:version-release.arch`; `undefined` where it is none. */
export function artifactNevra(artifact: string): Nevra | undefined {
  const match = /^(.+)-(?:(\d+):)?([^-:]+)-([^-:]+)\.([^-.:]+)$/.exec(artifact);
  if (match === null) return undefined;
  const [, name = '', epoch = '0', version = '', release = '', arch = ''] = match;
  return { name, epoch, version, release, arch };
}

/**
 * Whole documents: streams of which an artifact is there, or that have none. Defaults go with the last stream of their
 * module, obsoletes and translations with their stream, and obsoletes with the stream that they lead to, since dnf enables
 * it without a look whether it is there; those of modules that this file never had stay, as does whatever
 * is of another kind.
 */
export function pruneModules(
  documents: readonly ModuleDocument[],
  hasNevra: (nevra: Nevra) => boolean,
): ModuleDocument[] {
  const had = new Set<string>();
  const left = new Set<string>();
  const kept = new Map<ModuleDocument, boolean>();
  for (const document of documents) {
    const found = moduleStream(document);
    if (found === undefined) continue;
    const artifacts = found.artifacts.map(artifactNevra);
    const keep = artifacts.length === 0 || artifacts.some((each) => each !== undefined && hasNevra(each));
    kept.set(document, keep);
    for (const key of [found.name, `${found.name}:${found.stream}`]) (keep ? left : had).add(key);
  }
  return documents.filter((each) => kept.get(each) ?? subjectsOf(each).every((key) => left.has(key) || !had.has(key)));
}

function subjectsOf({ document, data }: ModuleDocument): string[] {
  const module = textAt(data, 'module');
  if (document === 'modulemd-defaults') return [module];
  if (document !== 'modulemd-obsoletes' && document !== 'modulemd-translations') return [];
  const next = mapAt(data, 'obsoleted_by');
  return [module, `${module}:${textAt(data, 'stream')}`, `${textAt(next, 'module')}:${textAt(next, 'stream')}`];
}

function textsOf(value: YamlValue | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string' && each !== '');
}

function textLists(map: YamlMap, list: (value: YamlValue) => YamlValue | undefined): Map<string, string[]> {
  return new Map([...map].map(([key, value]) => [String(key), textsOf(list(value))]));
}
