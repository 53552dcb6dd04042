/** Where mirror specs are found: shipped ones by name, the store's own ones by name, any file by its path. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, KubedosError } from '../errors.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { INSTALLATION } from '../wiring.ts';

export interface FoundSpec {
  readonly spec: MirrorSpec;
  readonly file: string;
  readonly text: string;
}

const SHIPPED = join(INSTALLATION, 'mirror-specs');
/** Specs that `mirror add` took into the store. */
export const ownSpecs = (dataDir: string): string => join(dataDir, 'mirrors');

export async function readSpec(file: string): Promise<FoundSpec> {
  const { parseMirrorSpec } = await import('../spec/mirror-spec.ts');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubedosError('spec.unknown', `read mirror spec ${file}: it cannot be read`, { cause });
  }
  return { spec: parseMirrorSpec(text, file), file, text };
}

/** A name (of the store's own specs first, then of the shipped ones) or a path, which has a slash or ends in .yaml. */
export async function findSpec(dataDir: string, reference: string): Promise<FoundSpec> {
  if (reference.includes('/') || /\.ya?ml$/.test(reference)) return readSpec(reference);
  for (const folder of [ownSpecs(dataDir), SHIPPED]) {
    if ((await specNames(folder)).includes(reference)) return readSpec(join(folder, `${reference}.yaml`));
  }
  throw new KubedosError('spec.unknown', `find mirror spec ${reference}: there is none of that name`, {
    hint: `shipped are: ${(await specNames(SHIPPED)).join(', ')}; or give the path of a file`,
  });
}

export const shippedSpecs = (): Promise<string[]> => specNames(SHIPPED);

/** Names of the specs in a folder, sorted. */
export async function specNames(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.flatMap((name) => (name.endsWith('.yaml') ? [name.slice(0, -5)] : [])).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Seed files lie beside the spec. */
export async function readSeed(found: FoundSpec, file: string): Promise<string> {
  const path = join(dirname(found.file), file);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new KubedosError('spec.invalid', `${found.file}: seed file ${path} cannot be read`, { cause });
  }
}
