/** What a sync remembers in the head between runs, read with care: an older kubedos may have written it. */
import { z } from 'zod';
import type { Generations } from '../formats/apt/publication.ts';
import type { MirrorHead } from '../store/types.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const releaseMemory = z.object({
  /** How it was served: `inline` is InRelease, `detached` is Release with Release.gpg. */
  form: z.enum(['inline', 'detached']),
  document: sha256,
  signature: sha256.nullable(),
  /** Release and Release.gpg beside an InRelease. */
  copy: z.object({ release: sha256, signature: sha256 }).nullable(),
  date: z.iso.datetime().nullable(),
  validUntil: z.iso.datetime().nullable(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

const generations = z.array(z.array(z.object({ path: z.string(), sha256, sizeBytes: z.number().int().nonnegative() })));

/** The newest accepted state of one suite: against rollback, and to ask "changed since?". */
export type ReleaseMemory = z.output<typeof releaseMemory>;

export interface SyncMemory {
  /** By `releaseKey`. */
  readonly releases: Readonly<Record<string, ReleaseMemory>>;
  /** By-hash files of this and earlier states, newest first. */
  readonly generations: Generations;
  /** Identity of what was chosen for a curated mirror. */
  readonly selection?: string | undefined;
  /** Date of the publication of a curated mirror. */
  readonly published?: string | undefined;
}

const memory = z.object({
  releases: z.record(z.string(), releaseMemory).catch({}),
  generations: generations.catch([]),
  selection: z.string().optional().catch(undefined),
  published: z.iso.datetime().optional().catch(undefined),
});

/** Nothing is remembered where there is no head. */
export function readMemory(head: MirrorHead | undefined): SyncMemory {
  const read = memory.safeParse({ releases: {}, generations: [], ...head?.memory });
  return read.success ? read.data : { releases: {}, generations: [] };
}

/**
 * Under what the Dates of a suite are remembered. The root is not part of it where a mirror has one upstream: moving to
 * another host is no way around the check.
 */
export function releaseKey(suite: string, root: string | undefined): string {
  return root === undefined ? suite : `${root} ${suite}`;
}
