/** What `missing:` of the spec says about files that upstream lists and does not serve. */
import { KubedosError } from '../errors.ts';
import { note, type Session } from './session.ts';

const NAMED = 10;

/**
 * Notes the files that may be left out; `sync.incomplete` where one may not. `needed` finds those that
 * `missing: skip-optional` does not leave out.
 */
export async function judgeMissing(
  session: Session,
  missing: ReadonlySet<string>,
  needed: () => Promise<readonly string[]> = async () => [...missing],
): Promise<void> {
  if (missing.size === 0) return;
  const policy = session.spec.missing;
  if (policy === 'fail') throw incomplete(session, [...missing]);
  const lacking = policy === 'skip-optional' ? await needed() : [];
  if (lacking.length > 0) throw incomplete(session, lacking);
  for (const path of missing)
    note(session, 'warn', `${session.spec.name}: upstream lists ${path} and does not serve it; left out`);
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
