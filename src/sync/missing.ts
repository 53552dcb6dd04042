/** What `missing:` of the spec says about files that upstream lists and does not serve. */
import { KubedosError } from '../errors.ts';
import type { ObjectStore } from '../store/types.ts';
import type { PresentIndex } from './index-fetch.ts';
import { quickestForm } from './index-fetch.ts';
import { storedPackages } from './index-read.ts';
import { note, type Session } from './session.ts';

const NAMED = 10;

/** Notes the files that may be left out; `sync.incomplete` where one may not. */
export async function judgeMissing(
  session: Session,
  missing: ReadonlySet<string>,
  from: { readonly objects: ObjectStore; readonly indexes: readonly PresentIndex[] },
): Promise<void> {
  if (missing.size === 0) return;
  const policy = session.spec.missing;
  if (policy === 'fail') throw incomplete(session, [...missing]);
  const needed = policy === 'skip-optional' ? await importantOnes(missing, from) : [];
  if (needed.length > 0) throw incomplete(session, needed);
  for (const path of missing)
    note(session, 'warn', `${session.spec.name}: upstream lists ${path} and does not serve it; left out`);
}

/** Those of another priority than optional and extra. Sources count as optional. */
async function importantOnes(
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

function incomplete(session: Session, paths: readonly string[]): KubedosError {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  return new KubedosError(
    'sync.incomplete',
    `sync ${session.spec.name}: upstream lists and does not serve ${paths.slice(0, NAMED).join(', ')}${more}`,
    {
      hint: 'if upstream is known for it, set `missing: warn` in the spec; what was fetched is kept',
      details: { paths: paths.slice(0, 1000) },
    },
  );
}
