/** What a sync remembers in the head between runs, read with care: an older kubedos may have written it. */
import { z } from 'zod';
import type { Generations } from '../formats/apt/publication.ts';
import type { MirrorHead, ObjectRef } from '../store/types.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const rootMemory = z.object({
  /** How it was served: `inline` is InRelease, `detached` is Release with Release.gpg, or a repomd.xml. */
  form: z.enum(['inline', 'detached']),
  document: sha256,
  signature: sha256.nullable(),
  /** Release and Release.gpg beside an InRelease. */
  copy: z.object({ release: sha256, signature: sha256 }).nullable(),
  date: z.iso.datetime().nullable(),
  /** Of a repomd.xml, where it is a number. */
  revision: z.number().optional(),
  /** How many packages the primary of a verbatim repository lists. */
  packages: z.number().int().nonnegative().optional(),
  validUntil: z.iso.datetime().nullable(),
  fingerprints: z.array(z.string()),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

const listedObject = z.object({ path: z.string(), sha256, sizeBytes: z.number().int().nonnegative() });
const generations = z.array(z.array(listedObject));

/** The newest accepted state of one suite or repository: against rollback, and to ask "changed since?". */
export type RootMemory = z.output<typeof rootMemory>;

/** What our own publication of a curated mirror was made of. */
const curatedMemory = z.object({
  /** Identity of the chosen stanzas and of how they are published: the same means that there is nothing to publish. */
  selection: sha256,
  date: z.iso.datetime(),
  validUntil: z.iso.datetime().nullable(),
  /** The object that `mirror why` reads. */
  why: sha256,
});

export type CuratedMemory = z.output<typeof curatedMemory>;

export interface SyncMemory {
  /** By the key of an UpstreamRoot. */
  readonly releases: Readonly<Record<string, RootMemory>>;
  /** By-hash files of this and earlier states, newest first. */
  readonly generations: Generations;
  readonly curated?: CuratedMemory | undefined;
  /** The manifest root that the catalog was told. */
  readonly recorded?: string | undefined;
}

const memory = z.object({
  releases: z.record(z.string(), rootMemory).catch({}),
  generations: z
    .union([generations, z.object({ published: generations }).transform(({ published }) => published)])
    .catch([]),
  curated: curatedMemory.optional().catch(undefined),
  recorded: sha256.optional().catch(undefined),
});

/** Nothing is remembered where there is no head. */
export function readMemory(head: MirrorHead | undefined): SyncMemory {
  const read = memory.safeParse({ releases: {}, generations: [], ...head?.memory });
  return read.success ? read.data : { releases: {}, generations: [] };
}

/**
 * The form in the head. The store keeps every object that is named below `generations`; those of a curated mirror are
 * the explanation and the indexes it was chosen from, too, which no manifest lists.
 */
export function writeMemory({ curated, ...common }: SyncMemory, kept: readonly ObjectRef[]): MirrorHead['memory'] {
  if (curated === undefined) return { ...common };
  const objects = [...kept.map(({ sha256 }) => ({ sha256 })), { sha256: curated.why }];
  return { ...common, generations: { published: common.generations, kept: objects }, curated, why: curated.why };
}
