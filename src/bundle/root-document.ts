/** `bundle.json` as bytes: written canonically, and read with every claim held against the others. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { canonicalJson, isCanonicalJson } from '../store/canonical-json.ts';
import { SHA256 } from '../store/names.ts';
import { SNAPSHOT_ID } from '../store/schemas.ts';
import { bundleId, packName } from './names.ts';
import { BUNDLE_FORMAT, type Bundle, type BundleRoot, MAX_FILE_BYTES, MAX_PACKS } from './types.ts';

/** Nobody signed the size of this one file; ten thousand packs take less than a tenth of it. */
export const MAX_ROOT_BYTES = 16 * 1024 * 1024;

const sha256 = z.string().regex(SHA256);
const count = z.int().min(0);
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const snapshotId = z.string().regex(SNAPSHOT_ID);
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'no such time');
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/);

const pack = z.looseObject({
  name: z.string(),
  sizeBytes: z.int().min(1).max(MAX_FILE_BYTES),
  members: z.int().min(1),
  listBytes: z.int().min(1),
});

const schema: z.ZodType<BundleRoot> = z.looseObject({
  format: z.literal(BUNDLE_FORMAT),
  store: uuid,
  generation: uuid,
  audience: uuid.nullable(),
  sequence: z.int().min(1),
  previous: z.looseObject({ sequence: z.int().min(1), sha256 }).nullable(),
  base: z.looseObject({ snapshot: snapshotId, sha256, manifests: z.array(sha256).max(10_000) }).nullable(),
  snapshots: z
    .array(z.looseObject({ id: snapshotId, sha256 }))
    .min(1)
    .max(10_000),
  channels: z.record(label, snapshotId),
  contents: z.looseObject({ sha256, sizeBytes: z.int().min(0).max(MAX_FILE_BYTES), objects: count, bytes: count }),
  extentBytes: z.int().min(1).max(MAX_FILE_BYTES),
  volumes: z
    .array(z.looseObject({ packs: z.array(pack) }))
    .min(1)
    .max(MAX_PACKS),
  parityPercent: z.int().min(0).max(100),
  time,
  expires: time.nullable(),
  roots: z
    .array(z.looseObject({ version: z.int().min(1), sha256 }))
    .min(1)
    .max(1000),
});

export function makeBundle(root: BundleRoot): Bundle {
  const bytes = Buffer.from(`${canonicalJson(root)}\n`);
  checkClaims(root, 'the new bundle.json');
  return asBundle(root, bytes);
}

/** `bundle.invalid` for what breaks form, schema or its own arithmetic. Says nothing about the signature. */
export function parseBundle(bytes: Uint8Array, origin: string): Bundle {
  const root = parseCanonical(bytes, schema, origin);
  checkClaims(root, origin);
  return asBundle(root, Buffer.from(bytes));
}

function asBundle(root: BundleRoot, bytes: Buffer): Bundle {
  const digest = hash('sha256', bytes, 'hex');
  return { id: bundleId(root.sequence, digest), sha256: digest, root, bytes };
}

function checkClaims(root: BundleRoot, origin: string): void {
  const refuse = (why: string): never => {
    throw new KubedosError('bundle.invalid', `read ${origin}: ${why}`);
  };
  const packs = root.volumes.flatMap((volume) => volume.packs);
  for (const [index, { name }] of packs.entries()) {
    if (name !== packName(index + 1)) refuse(`pack ${index + 1} is called ${JSON.stringify(name)}`);
  }
  const listBytes = packs.reduce((sum, one) => sum + one.listBytes, 0);
  if (listBytes !== root.contents.sizeBytes) refuse('its packs do not add up to the contents list');
  const sequences = root.snapshots.map(({ id }) => Number(id.split('-')[0]));
  if (sequences.some((sequence, index) => index > 0 && sequence <= (sequences[index - 1] ?? 0))) {
    refuse('snapshots are not ascending');
  }
  if (sequences.at(-1) !== root.sequence) refuse('its sequence is not that of its newest snapshot');
  for (const { id, sha256 } of root.snapshots) {
    if (!id.endsWith(`-${sha256.slice(0, 16)}`)) refuse(`snapshot ${id} is not named by its digest`);
  }
  for (const [name, id] of Object.entries(root.channels)) {
    if (!root.snapshots.some((snapshot) => snapshot.id === id)) {
      refuse(`channel ${name} points at ${id}, which is not carried`);
    }
  }
  if (root.roots.some(({ version }, index) => index > 0 && version !== (root.roots[index - 1]?.version ?? 0) + 1)) {
    refuse('its chain of roots has a gap');
  }
}

/** A document of a bundle or a receipt: JSON in its one canonical text with a newline at the end, fitting its schema. */
export function parseCanonical<T>(bytes: Uint8Array, schema: z.ZodType<T>, origin: string): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new KubedosError('bundle.invalid', `read ${origin}: it is not JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'the document';
    throw new KubedosError('bundle.invalid', `read ${origin}: ${where}: ${issue?.message ?? 'unexpected shape'}`);
  }
  if (!isCanonicalJson(bytes, parsed.data)) {
    throw new KubedosError('bundle.invalid', `read ${origin}: it is not canonical JSON with a newline at the end`);
  }
  return parsed.data;
}
