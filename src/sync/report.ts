import type { ManifestRef, MirrorHead } from '../store/types.ts';
import type { Lack } from './pool-fetch.ts';
import type { Session } from './session.ts';
import type { SyncReport } from './types.ts';
import type { RootState } from './upstream-root.ts';
import type { Workspace } from './workspace.ts';

export interface ReportFacts {
  readonly states: readonly RootState[];
  readonly lack: Lack;
  readonly manifest: ManifestRef;
  readonly missing: ReadonlySet<string>;
}

/** What a sync did, or in a dry run would do. */
export function syncReport(
  run: { readonly session: Session; readonly space: Workspace; readonly before: MirrorHead | undefined },
  { states, lack, manifest, missing }: ReportFacts,
): SyncReport {
  const { spec, options, notes } = run.session;
  const dryRun = options.dryRun ?? false;
  const { files, bytes } = run.space.source.fetched;
  return {
    mirror: spec.name,
    form: spec.form,
    changed: manifest.root !== run.before?.manifest.root,
    dryRun,
    suites: states.map(({ request, changed, memory }) => ({
      source: request.source,
      changed,
      date: memory.date,
      validUntil: memory.validUntil,
      fingerprints: memory.fingerprints,
    })),
    fetched: dryRun ? { files: files + lack.files, bytes: bytes + lack.bytes } : { files, bytes },
    paths: { added: lack.added, removed: lack.removed },
    missing: [...missing],
    manifest,
    notes,
  };
}
