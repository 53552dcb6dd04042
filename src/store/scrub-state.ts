import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { storageError } from '../errors.ts';
import { unlessAbsent } from './file-system.ts';
import { SHA256 } from './names.ts';
import type { Store } from './types.ts';

const schema = z.object({
  after: z.union([z.literal(''), z.string().regex(SHA256)]),
  objects: z.int(),
  bytes: z.int(),
});

/** How far a scrub is: everything up to `after` is done. */
export type ScrubState = Readonly<z.infer<typeof schema>>;

export function scrubStateFile(store: Store): Promise<string> {
  return store.file('cache', 'scrub.json');
}

/** `undefined` where there is none, or none that can be understood: then a scrub begins anew. */
export async function readScrubState(file: string): Promise<ScrubState | undefined> {
  try {
    const text = await unlessAbsent(() => readFile(file, 'utf8'));
    return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw storageError(`read ${file}`, error);
  }
}

/** `undefined`: the scrub is finished. */
export async function writeScrubState(file: string, state: ScrubState | undefined): Promise<void> {
  try {
    if (state) {
      await writeFile(`${file}.new`, JSON.stringify(state));
      await rename(`${file}.new`, file);
    } else {
      await rm(file, { force: true });
    }
  } catch (error) {
    throw storageError(`write ${file}`, error);
  }
}
