import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ObjectRef } from '../store/types.ts';

/** What the store would call a file. */
export async function fileDigest(file: string, signal?: AbortSignal): Promise<ObjectRef> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), digest, { signal });
  return { sha256: digest.digest('hex'), sizeBytes: (await stat(file)).size };
}
