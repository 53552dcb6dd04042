import type { ObjectStore } from '../../store/types.ts';
import { type PresentIndex, quickestForm } from './index-fetch.ts';
import { storedPackages } from './index-read.ts';

/** Those of another priority than optional and extra. Sources count as optional. */
export async function importantOnes(
  missing: ReadonlySet<string>,
  { objects, indexes }: { readonly objects: ObjectStore; readonly indexes: readonly PresentIndex[] },
): Promise<string[]> {
  const found = new Set<string>();
  for (const index of indexes) {
    if (index.kind !== 'packages' && index.kind !== 'udebs') continue;
    for await (const { path, priority } of storedPackages(objects, quickestForm(index)))
      if (missing.has(path) && priority !== 'optional' && priority !== 'extra') found.add(path);
  }
  return [...found];
}
