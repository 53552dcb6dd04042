/** Sender's side: a signed bundle in volumes, from snapshots of the store. */

import type { Run } from '../progress.ts';
import { isoSeconds } from '../store/schemas.ts';
import { type ExportDeps, type ExportOptions, exportInput } from './export-input.ts';
import { updateLedger } from './ledger.ts';
import { type PlanSummary, prepareBundle, summarizeBundle } from './prepare.ts';
import type { Bundle } from './types.ts';
import { type WrittenVolumes, writeVolumes } from './write-volumes.ts';

export type { ExportDeps, ExportOptions } from './export-input.ts';

export interface ExportReport extends WrittenVolumes {
  readonly bundle: Bundle;
  /** The snapshot that it builds on; null for a full bundle. */
  readonly base: string | null;
}

/** What `exportBundle` would write: sizes of packs and volumes. Changes nothing. */
export async function planExport(
  deps: ExportDeps,
  options: ExportOptions,
  run: Run,
): Promise<PlanSummary & { readonly base: string | null }> {
  const input = await exportInput(deps, options, run);
  return { ...(await summarizeBundle(input)), base: input.base?.id ?? null };
}

/**
 * Writes the volumes as folders in `to`. Killed or out of space, the same command goes on; repeated after the end it
 * finds all done. Acknowledges nothing: the base moves forward by the receiver's receipt alone.
 */
export async function exportBundle(deps: ExportDeps, options: ExportOptions, run: Run): Promise<ExportReport> {
  const input = await exportInput(deps, options, run);
  run.onEvent?.({ type: 'phase', phase: 'plan the bundle' });
  const prepared = await prepareBundle(input);
  const { bundle } = prepared;
  const all = bundle.root.volumes.map((_, index) => index + 1);
  const report = await writeVolumes(
    deps,
    { prepared, to: options.to, volumes: all, readBack: options.readBack ?? true },
    run,
  );
  const record = { bundle: bundle.sha256, sequence: bundle.root.sequence, audience: bundle.root.audience };
  await updateLedger(deps.store, (ledger) => {
    if (ledger.exports.some((one) => one.bundle === bundle.sha256)) return ledger;
    const time = isoSeconds(deps.now());
    return { ...ledger, exports: [...ledger.exports, { ...record, time }] };
  });
  return { bundle, base: input.base?.id ?? null, ...report };
}
