/** The catalog follows a local repository. */
import type { ListingChange } from '../catalog/types.ts';
import type { Run } from '../progress.ts';
import type { ManifestRef } from '../store/types.ts';
import type { Outcome, RepoReport } from './repo-outcome.ts';

export interface CatalogDeps {
  /** The catalog: told after the head moved. What it throws becomes a warning, since it can be rebuilt. */
  readonly recordChange?: ((mirror: string, change: ListingChange) => Promise<unknown>) | undefined;
}

/** Nothing changed now; but a run before, killed between the head and the catalog, may have left that behind. */
export async function unchanged(
  deps: CatalogDeps,
  of: { readonly mirror: string; readonly manifest: ManifestRef; readonly outcome: Outcome },
  run: Run,
): Promise<RepoReport> {
  const { mirror, manifest, outcome } = of;
  await tellCatalog(deps, mirror, { before: manifest.root, root: manifest.root, added: [], removed: [] }, run);
  return outcome.report(mirror, manifest, manifest);
}

/** The new state stands already: a catalog that cannot be written is worth a warning, not a failure. */
export async function tellCatalog(
  deps: CatalogDeps,
  mirror: string,
  change: ListingChange,
  { onEvent }: Run,
): Promise<void> {
  try {
    await deps.recordChange?.(mirror, change);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the catalog does not know the new state of ${mirror} (${why}): run \`kubedos store rebuild\``;
    onEvent?.({ type: 'note', level: 'warn', message });
  }
}
