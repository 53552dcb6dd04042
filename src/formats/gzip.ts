import { createGunzip, createGzip } from 'node:zlib';
import { KubedosError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { through } from './transform.ts';

/** Large pieces: fewer turns of the event loop. */
const CHUNK_BYTES = 128 * 1024;

/** Reads all members (RFC 1952 §2.2). */
export function gunzip(source: ByteSource, origin: string): AsyncGenerator<Buffer> {
  return through(source, createGunzip({ chunkSize: CHUNK_BYTES }), (cause) => damaged(origin, cause));
}

/** One member without name and time. */
export function gzip(source: ByteSource, level: number): AsyncGenerator<Buffer> {
  return through(source, createGzip({ chunkSize: CHUNK_BYTES, level }), (cause) => damaged('a stream', cause));
}

function damaged(origin: string, cause: unknown): KubedosError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KubedosError('format.syntax', `decompress ${origin}: damaged gzip: ${reason}`, { cause });
}
