/** The last step of a sync: evidence and manifest durable, then the head, in one step and only if nobody moved it. */
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { canonicalSpec } from '../spec/spec-hash.ts';
import { isoSeconds } from '../store/schemas.ts';
import type { Evidence, ManifestRef, MirrorHead, ObjectRef, ObjectStore } from '../store/types.ts';
import { type SyncMemory, writeMemory } from './memory.ts';
import { evidenceOf } from './root-memory.ts';
import type { SyncDeps } from './types.ts';
import type { RootState } from './upstream-root.ts';

export interface NewHead {
  readonly spec: MirrorSpec;
  /** Of seed files: see specHash. */
  readonly specExtra?: Readonly<Record<string, string>> | undefined;
  readonly manifest: ManifestRef;
  readonly states: readonly RootState[];
  readonly memory: SyncMemory;
  /** Objects that the mirror is made from, and that its manifest does not list. */
  readonly kept?: readonly ObjectRef[] | undefined;
  readonly before: MirrorHead | undefined;
}

/** `store.raced` if the head is no longer the one that the sync began with. */
export async function commitHead(deps: Pick<SyncDeps, 'store' | 'now'>, next: NewHead): Promise<MirrorHead> {
  const { objects, heads } = deps.store;
  const evidence: Evidence[] = [];
  for (const state of next.states) evidence.push(await putEvidence(objects, state));
  const spec = await objects.put([Buffer.from(canonicalSpec(next.spec, next.specExtra))]);
  const head: MirrorHead = {
    format: 'kubedos-head/1',
    name: next.spec.name,
    kind: next.spec.type,
    form: next.spec.form,
    manifest: next.manifest,
    evidence,
    time: isoSeconds(deps.now()),
    spec: spec.sha256,
    memory: writeMemory(next.memory, next.kept ?? []),
  };
  await heads.write(head, next.before?.manifest.root);
  return head;
}

/** New memory alone: manifest, evidence and time stay, and with them the next snapshot. */
export async function commitMemory(
  deps: Pick<SyncDeps, 'store'>,
  before: MirrorHead,
  next: Pick<NewHead, 'spec' | 'specExtra' | 'memory' | 'kept'>,
): Promise<void> {
  const { objects, heads } = deps.store;
  const spec = await objects.put([Buffer.from(canonicalSpec(next.spec, next.specExtra))]);
  const memory = writeMemory(next.memory, next.kept ?? []);
  await heads.write({ ...before, spec: spec.sha256, memory }, before.manifest.root);
}

async function putEvidence(objects: ObjectStore, state: RootState): Promise<Evidence> {
  const { document, signature, keyring } = state.evidence;
  for (const bytes of [document, signature, keyring]) if (bytes) await objects.put([bytes]);
  return evidenceOf(state);
}
