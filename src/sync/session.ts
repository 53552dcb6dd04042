/** One run of a sync: the signed roots that it asks for, and what upstream says of them. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorHead, ObjectStore } from '../store/types.ts';
import { type RootMemory, readMemory, type SyncMemory } from './memory.ts';
import { checkExpiry } from './root-checks.ts';
import { sha256 } from './root-memory.ts';
import type { SyncDeps, SyncedSuite, SyncOptions, SyncReport } from './types.ts';
import type { CheckContext, FetchedRoot, Kind, RootState, UpstreamRoot } from './upstream-root.ts';

export interface SyncInput<K extends Kind = Kind> {
  readonly deps: SyncDeps;
  readonly spec: K['spec'];
  readonly options: SyncOptions;
  readonly run: Run;
  /** Files that rules of a curated mirror name: name in the spec → text. */
  readonly seeds: ReadonlyMap<string, string>;
}

export interface Session<K extends Kind = Kind> extends SyncInput<K> {
  readonly roots: readonly UpstreamRoot<K['state']>[];
  /** Everything that was worth telling, for the report. */
  readonly notes: string[];
}

export function note(session: Session, level: 'info' | 'warn', message: string): void {
  session.notes.push(message);
  session.run.onEvent?.({ type: 'note', level, message });
}

export interface Probe<State extends RootState = RootState> {
  readonly root: UpstreamRoot<State>;
  readonly fetched: FetchedRoot;
}

/** Asks for the signed root of every suite or repository, and for nothing else. */
export function probe<State extends RootState>(
  roots: readonly UpstreamRoot<State>[],
  known: SyncMemory['releases'],
): Promise<Probe<State>[]> {
  return Promise.all(roots.map(async (root) => ({ root, fetched: await root.fetch(known[root.key]) })));
}

/** A sync that is about to begin: what there is here, and what upstream says. */
export interface Opening<K extends Kind = Kind> {
  readonly session: Session<K>;
  readonly head: MirrorHead | undefined;
  readonly probes: readonly Probe<K['state']>[];
}

/** True if upstream still has what is remembered: by its own word, or byte for byte. */
export function isUnchanged(fetched: FetchedRoot, known: RootMemory | undefined): boolean {
  if (fetched.form === 'unchanged') return true;
  return known !== undefined && known.form === fetched.form && known.document === sha256(fetched.document);
}

/** True if every root is as remembered. */
export function nothingChanged(probes: readonly Probe[], known: SyncMemory['releases']): boolean {
  return probes.every(({ root, fetched }) => isUnchanged(fetched, known[root.key]));
}

/** The report of a sync that found nothing new. `trust.expired` where what upstream still shows is past its Valid-Until. */
export function unchangedReport(session: Session, head: MirrorHead): SyncReport {
  const { releases } = readMemory(head);
  const suites = session.roots.map((root): SyncedSuite => {
    const known = releases[root.key];
    checkExpiry(known?.validUntil == null ? null : new Date(known.validUntil), checkContext(session, root, releases));
    return {
      source: root.source,
      changed: false,
      date: known?.date ?? null,
      validUntil: known?.validUntil ?? null,
      fingerprints: known?.fingerprints ?? [],
    };
  });
  return {
    mirror: session.spec.name,
    form: session.spec.form,
    changed: false,
    dryRun: session.options.dryRun ?? false,
    suites,
    fetched: { files: 0, bytes: 0 },
    paths: { added: 0, removed: 0 },
    missing: [],
    manifest: head.manifest,
    notes: session.notes,
  };
}

/** Verifies what the probes brought. */
export async function readRoots<K extends Kind>(
  session: Session<K>,
  probes: readonly Probe<K['state']>[],
  context: { readonly objects: ObjectStore; readonly releases: SyncMemory['releases'] },
): Promise<K['state'][]> {
  return Promise.all(
    probes.map(async ({ root, fetched }) => {
      const parts = { objects: context.objects, check: checkContext(session, root, context.releases) };
      try {
        return await root.read(fetched, parts);
      } catch (error) {
        // A document and its signature are two files: upstream may have replaced them between the two requests.
        if (fetched.form !== 'detached' || !(error instanceof KubedosError) || error.code !== 'trust.bad-signature')
          throw error;
        return root.read(await root.fetch(), parts);
      }
    }),
  );
}

function checkContext(session: Session, root: UpstreamRoot, releases: SyncMemory['releases']): CheckContext {
  return {
    source: root.source,
    now: session.deps.now(),
    allow: session.options.allow ?? [],
    known: releases[root.key],
  };
}
