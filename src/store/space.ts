import { statfs } from 'node:fs/promises';
import { KubedosError, storageError } from '../errors.ts';

/** Refuses (`store.no-space`) before the first byte what cannot fit. */
export async function requireSpace(folder: string, neededBytes: number, action: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw storageError(action, error);
  });
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new KubedosError(
    'store.no-space',
    `${action}: needs ${neededBytes} bytes in ${folder}, ${freeBytes} are free`,
    {
      hint: 'make space or choose another folder, then run the same command again: what is done already is kept',
      details: { neededBytes, freeBytes },
    },
  );
}
