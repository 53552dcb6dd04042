import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errnoOf, storageError } from '../errors.ts';
import { throwIfAborted } from './abort.ts';
import type { Answer } from './answer.ts';
import type { Receive } from './exchange.ts';

const READ_BYTES = 1024 * 1024;

/**
 * A `file:` upstream answers as a server would: 200, 206 with Content-Range for `start`, 304 for a known ETag, 404.
 * Its ETag is exact (inode, size, time in ns), because Last-Modified counts whole seconds only.
 */
export async function getLocalFile(
  request: {
    readonly url: URL;
    readonly start: number;
    readonly etag?: string | undefined;
    readonly signal: AbortSignal | undefined;
  },
  receive: Receive,
): Promise<Answer> {
  const file = fileURLToPath(request.url);
  const handle = await openIfThere(file);
  if (handle === undefined) return answerOf(404, {});
  try {
    const { isFile, ino, size, mtimeNs } = await statOf(handle);
    if (!isFile) return answerOf(404, {});
    const etag = `"${ino}-${size}-${mtimeNs}"`;
    if (etag === request.etag) return answerOf(304, { etag });
    const { start } = request;
    if (start > 0 && start >= size) return answerOf(416, {});
    const answer = answerOf(start > 0 ? 206 : 200, {
      etag,
      'content-length': String(size - start),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    const sink = receive(answer);
    for (let at = start; sink !== undefined && at < size; ) {
      throwIfAborted(request.signal);
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      await sink(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return answer;
  } catch (cause) {
    throw storageError(`read ${file}`, cause);
  } finally {
    await handle.close();
  }
}

function answerOf(status: number, headers: Readonly<Record<string, string>>): Answer {
  return { status, header: (name) => headers[name] };
}

async function statOf(handle: FileHandle) {
  const stat = await handle.stat({ bigint: true });
  return { isFile: stat.isFile(), ino: stat.ino, size: Number(stat.size), mtimeNs: stat.mtimeNs };
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined;
    throw storageError(`read ${file}`, cause);
  }
}
