/** The shapes of the store's documents, as zod sees them. types.ts says what they mean. */
import { z } from 'zod';
import { SHA256 } from './names.ts';
import type { Channel, Labels, MirrorHead, SnapshotDocument, StoreIdentity } from './types.ts';

export const SNAPSHOT_ID = /^(0|[1-9][0-9]{0,15})-[0-9a-f]{16}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const sha256 = z.string().regex(SHA256);
const count = z.int().min(0);
const uuid = z.string().regex(UUID);
const snapshotId = z.string().regex(SNAPSHOT_ID);
const time = z
  .string()
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'no such time');

const manifest = z.looseObject({ root: sha256, files: count, bytes: count });
const evidence = z.looseObject({
  source: z.string(),
  document: sha256,
  signature: sha256.nullable(),
  keyring: sha256.nullable(),
  verified: z.array(z.enum(['metadata', 'packages'])).optional(),
  fingerprints: z.array(z.string()),
  date: z.string().nullable(),
  validUntil: z.string().nullable(),
});
const mirror = {
  name: z.string(),
  kind: z.enum(['apt', 'yum', 'files']),
  form: z.enum(['verbatim', 'curated', 'local']),
  manifest,
  evidence: z.array(evidence),
};

export const identitySchema: z.ZodType<StoreIdentity> = z.looseObject({
  format: z.literal('kubedos-store/1'),
  id: uuid,
  generation: uuid,
  created: time,
});

export const headSchema: z.ZodType<MirrorHead> = z.looseObject({
  format: z.literal('kubedos-head/1'),
  ...mirror,
  time,
  spec: sha256.nullable(),
  memory: z.record(z.string(), z.unknown()),
});

export const snapshotSchema: z.ZodType<SnapshotDocument> = z
  .looseObject({
    format: z.literal('kubedos-snapshot/1'),
    store: uuid,
    sequence: z.int().min(1),
    time,
    parent: snapshotId.nullable(),
    mirrors: z.array(z.looseObject(mirror)),
    note: z.string().nullable(),
  })
  .refine(
    ({ mirrors }) => mirrors.every((one, index) => index === 0 || (mirrors[index - 1]?.name ?? '') < one.name),
    'mirrors are not sorted by name, or one is there twice',
  );

export const labelsSchema: z.ZodType<Labels> = z.looseObject({
  tags: z.record(z.string(), snapshotId),
  protected: z.array(snapshotId),
  acknowledged: z.record(z.string(), snapshotId),
  usedSequence: count.optional(),
});

export const channelSchema: z.ZodType<Channel> = z.looseObject({
  format: z.literal('kubedos-channel/1'),
  name: z.string(),
  snapshot: snapshotId,
  version: z.int().min(1),
  time,
  history: z.array(z.looseObject({ snapshot: snapshotId, time })).max(100),
});

/** ISO 8601 in whole seconds, the only form of time in our documents. */
export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
