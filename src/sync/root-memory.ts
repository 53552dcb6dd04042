/** A root that did not change is read from the store, where the last sync put it. */
import { hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import type { Validators } from '../net/types.ts';
import type { Evidence, ObjectStore } from '../store/types.ts';
import type { RootMemory } from './memory.ts';
import type { FetchedRoot, RootState, UpstreamRoot } from './upstream-root.ts';

export type GivenRoot = Exclude<FetchedRoot, { form: 'unchanged' }>;

export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/** What was fetched, or what is remembered of it; asked for again where that is damaged or lost. */
export async function givenRoot(
  root: Pick<UpstreamRoot, 'source' | 'fetch'>,
  fetched: FetchedRoot,
  from: { readonly known: RootMemory | undefined; readonly objects: ObjectStore; readonly maxBytes: number },
): Promise<GivenRoot> {
  if (fetched.form !== 'unchanged') return fetched;
  const { known, objects, maxBytes } = from;
  const document = known && (await objects.read(known.document, maxBytes));
  if (known === undefined || document === undefined) return again(root);
  const validators: Validators = { etag: known.etag, lastModified: known.lastModified };
  if (known.form === 'inline') return { form: 'inline', document, validators };
  if (known.signature === null) return { form: 'detached', document, signature: null, validators };
  const signature = await objects.read(known.signature, maxBytes);
  return signature ? { form: 'detached', document, signature, validators } : again(root);
}

/** Without validators, upstream gives it whole. */
async function again(root: Pick<UpstreamRoot, 'source' | 'fetch'>): Promise<GivenRoot> {
  const fetched = await root.fetch();
  if (fetched.form !== 'unchanged') return fetched;
  throw new KubedosError('net.status', `sync ${root.source}: upstream says "not modified" to an unconditional request`);
}

export function validatorsOf({ etag, lastModified }: RootMemory): Validators | undefined {
  return etag === undefined && lastModified === undefined ? undefined : { etag, lastModified };
}

/** What all kinds remember of a root. */
export function rootMemory(
  given: GivenRoot,
  of: Pick<RootMemory, 'copy' | 'date' | 'validUntil' | 'revision'> & { readonly fingerprints: readonly string[] },
): RootMemory {
  const { etag, lastModified } = given.validators;
  return {
    form: given.form,
    document: sha256(given.document),
    signature: given.form === 'detached' && given.signature !== null ? sha256(given.signature) : null,
    ...of,
    fingerprints: [...of.fingerprints],
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

/** The evidence of the head; its three documents must be put into the store under these hashes. */
export function evidenceOf(state: RootState): Evidence {
  const { document, signature, keyring, fingerprints, verified } = state.evidence;
  return {
    source: state.request.source,
    document: sha256(document),
    signature: signature && sha256(signature),
    keyring: sha256(keyring),
    ...(verified !== undefined && { verified }),
    fingerprints,
    date: state.memory.date,
    validUntil: state.memory.validUntil,
  };
}
