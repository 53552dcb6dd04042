/** One run of a sync: the suites that it asks for, and what upstream says of them. */

import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { MirrorSpec, SpecUpstream } from '../spec/mirror-spec.ts';
import type { MirrorHead, ObjectStore } from '../store/types.ts';
import type { Keyring } from '../trust/types.ts';
import { readMemory, type SyncMemory } from './memory.ts';
import { checkExpiry } from './release-checks.ts';
import { type FetchedRelease, fetchRelease } from './release-source.ts';
import { readSeeds } from './seeds.ts';
import { isUnchanged, readSuite, type SuiteRequest, type SuiteState, suiteRequest } from './suite-state.ts';
import type { SyncDeps, SyncedSuite, SyncOptions, SyncReport } from './types.ts';
import { checkPins, upstreamRoots } from './upstream-roots.ts';

export interface Session {
  readonly deps: SyncDeps;
  readonly spec: MirrorSpec;
  readonly options: SyncOptions;
  readonly run: Run;
  readonly requests: readonly SuiteRequest[];
  /** Everything that was worth telling, for the report. */
  readonly notes: string[];
  readonly keyrings: Map<SpecUpstream, Promise<Keyring>>;
  /** Files that rules of a curated mirror name: name in the spec → text. */
  readonly seeds: ReadonlyMap<string, string>;
}

export interface SyncInput {
  readonly deps: SyncDeps;
  readonly spec: MirrorSpec;
  readonly options: SyncOptions;
  readonly run: Run;
}

/** Refuses a spec without pins before anything is asked. */
export async function openSession({ deps, spec, options, run }: SyncInput): Promise<Session> {
  checkPins(spec);
  const requests: SuiteRequest[] = [];
  for (const [upstreamIndex, upstream] of spec.upstreams.entries()) {
    const urls = await upstreamRoots(upstream, deps);
    for (const suite of upstream.suites) {
      const at = { fetcher: deps.fetcher, urls, signal: run.signal };
      requests.push(suiteRequest(at, { suite, upstream, upstreamIndex, single: spec.form === 'verbatim' }));
    }
  }
  const seeds = await readSeeds(deps, spec);
  return { deps, spec, options, run, requests, notes: [], keyrings: new Map(), seeds };
}

export function note(session: Session, level: 'info' | 'warn', message: string): void {
  session.notes.push(message);
  session.run.onEvent?.({ type: 'note', level, message });
}

export interface Probe {
  readonly request: SuiteRequest;
  readonly fetched: FetchedRelease;
}

/** Asks for the Release of every suite, and for nothing else. */
export function probe(session: Session, known: SyncMemory['releases']): Promise<Probe[]> {
  return Promise.all(
    session.requests.map(async (request) => ({ request, fetched: await fetchRelease(request, known[request.key]) })),
  );
}

/** A sync that is about to begin: what there is here, and what upstream says. */
export interface Opening {
  readonly session: Session;
  readonly head: MirrorHead | undefined;
  readonly probes: readonly Probe[];
}

/** True if every suite is as remembered. */
export function nothingChanged(probes: readonly Probe[], known: SyncMemory['releases']): boolean {
  return probes.every(({ request, fetched }) => isUnchanged(fetched, known[request.key]));
}

/** The report of a sync that found nothing new. `trust.expired` where what upstream still shows is past its Valid-Until. */
export function unchangedReport(session: Session, head: MirrorHead): SyncReport {
  const { releases } = readMemory(head);
  const suites = session.requests.map((request): SyncedSuite => {
    const known = releases[request.key];
    checkExpiry(
      known?.validUntil == null ? null : new Date(known.validUntil),
      checkContext(session, request, releases),
    );
    return {
      source: request.source,
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
export async function readSuites(
  session: Session,
  probes: readonly Probe[],
  context: { readonly objects: ObjectStore; readonly releases: SyncMemory['releases'] },
): Promise<SuiteState[]> {
  return Promise.all(
    probes.map(async ({ request, fetched }) => {
      const keyring = await keyringOf(session, request.upstream);
      const parts = { objects: context.objects, keyring, check: checkContext(session, request, context.releases) };
      try {
        return await readSuite(request, fetched, parts);
      } catch (error) {
        // Release and Release.gpg are two files: upstream may have replaced them between the two requests.
        if (fetched.form !== 'detached' || !(error instanceof KubedosError) || error.code !== 'trust.bad-signature')
          throw error;
        return readSuite(request, await fetchRelease(request), parts);
      }
    }),
  );
}

function keyringOf(session: Session, upstream: SpecUpstream): Promise<Keyring> {
  const loaded = session.keyrings.get(upstream) ?? session.deps.loadKeys(upstream.keys);
  session.keyrings.set(upstream, loaded);
  return loaded;
}

function checkContext(session: Session, request: SuiteRequest, releases: SyncMemory['releases']) {
  return {
    source: request.source,
    now: session.deps.now(),
    allow: session.options.allow ?? [],
    known: releases[request.key],
  };
}
