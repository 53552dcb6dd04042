/** What the tests of the fetcher share: files of two sizes, a folder, a fetcher that does not wait long. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createFetcher } from '../../src/net/fetcher.ts';
import type { Fetcher, FetcherOptions, WantedFile } from '../../src/net/types.ts';
import { type BadUpstream, badUpstream } from '../support/bad-upstream.ts';

/** Small ones are taken in memory, large ones go through a file. */
export const SMALL = randomBytes(20_000);
export const LARGE = randomBytes(1_500_000);

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-net-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function upstream(files: Readonly<Record<string, Buffer>> = {}): Promise<BadUpstream> {
  const server = await badUpstream({ '/small': SMALL, '/large': LARGE, ...files });
  closers.push(() => server.close());
  return server;
}

/** Tries three times, a millisecond apart. */
export function fetcher(options: FetcherOptions = {}): Fetcher {
  const made = createFetcher({ tries: 3, backoffMs: 1, ...options });
  closers.push(() => made.close());
  return made;
}

export function wanted(
  path: string,
  bytes: Buffer,
  algorithm: WantedFile['digest']['algorithm'] = 'sha256',
): WantedFile {
  const hex = createHash(algorithm).update(bytes).digest('hex');
  return { path, sizeBytes: bytes.length, digest: { algorithm, hex } };
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
