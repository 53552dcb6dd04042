/** Files that a command line names. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errnoOf, KubedosError } from '../errors.ts';

/** Read at once, and without the thread pool: of thousands of small packages, a stream for each costs the most. */
const SMALL_BYTES = 256 * 1024;

/** Opened when it is read: there may be more files than may be open at once. `usage.argument` where it cannot be read. */
export async function* fileContent(file: string): AsyncGenerator<Buffer> {
  try {
    const stats = statSync(file);
    if (stats.isFile() && stats.size <= SMALL_BYTES) yield readFileSync(file);
    else yield* createReadStream(file);
  } catch (cause) {
    throw inputError(file, cause);
  }
}

/** `usage.argument` where it cannot be read. */
export async function fileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw inputError(file, cause);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder: name the files in it',
  EACCES: 'it may not be read',
};

function inputError(file: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  return new KubedosError('usage.argument', `read ${file}: ${REASONS[errno] ?? errno}`, { cause });
}
