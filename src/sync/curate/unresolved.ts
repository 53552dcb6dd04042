/** What chosen packages or rules ask for, and is not there. */
import { KubedosError } from '../../errors.ts';

export interface Unresolved {
  /** `openssh-server 1:9.2p1-2 amd64`, or the rule as people write it. */
  readonly wantedBy: string;
  /** As the family calls it: `Pre-Depends`, `requires`; `rule` for what a rule names. */
  readonly field: string;
  /** The dependency as written, or the package that the rule names. */
  readonly wanted: string;
  readonly architecture: string | null;
  /** `newest here is 1.9`. */
  readonly reason: string;
  /** All of this as a sentence. */
  readonly message: string;
}

/** Most lines of the message; `details` has all. */
const MAX_LISTED = 20;

/** `sync.unresolved` with all that is missing, the first lines of it in the message. */
export function unresolvedError(mirror: string, unresolved: readonly Unresolved[]): KubedosError {
  const lines = unresolved.slice(0, MAX_LISTED).map(({ message }) => `\n  ${message}`);
  const more = unresolved.length > MAX_LISTED ? `\n  and ${unresolved.length - MAX_LISTED} more` : '';
  return new KubedosError(
    'sync.unresolved',
    `select packages of ${mirror}: ${unresolved.length} demands cannot be met${lines.join('')}${more}`,
    {
      hint: 'add the suite or upstream that has them, exclude what needs them, or set `closure: none` where clients get them elsewhere',
      details: { unresolved },
    },
  );
}
