/** May this bundle be taken at all? Decided from its signed root alone, before any pack is opened. Pure. */
import { KubedosError } from '../errors.ts';
import type { StoreIdentity } from '../store/types.ts';
import type { SenderRecord } from './ledger.ts';
import type { Bundle } from './types.ts';

export type Allowance = 'rollback' | 'expired' | 'jump';

/**
 * A sender whose key was stolen for a day must not be able to spend all sequence numbers; nor does an honest one take
 * so many snapshots between two transfers.
 */
const MAX_SEQUENCE_JUMP = 10_000;
/** Beyond this age somebody should ask whether transfers still arrive. */
const ALARM_AGE_DAYS = 90;

export interface Admission {
  /** The same bundle was taken before, or made here: nothing is to be done but to bring back what was lost since. */
  readonly taken: boolean;
  readonly ageDays: number;
  readonly warnings: readonly string[];
}

export function admitBundle(
  bundle: Bundle,
  receiver: {
    readonly identity: StoreIdentity;
    readonly sender: SenderRecord | undefined;
    readonly now: Date;
    readonly allow: readonly Allowance[];
  },
): Admission {
  const { root, id } = bundle;
  const { identity, sender, now } = receiver;
  const allows = (what: Allowance): boolean => receiver.allow.includes(what);
  const own = root.store === identity.id;
  if (!own && root.audience !== null && root.audience !== identity.id) {
    throw new KubedosError(
      'bundle.audience',
      `import bundle ${id}: it is meant for store ${root.audience}, this is ${identity.id}`,
    );
  }
  const ageDays = Math.floor((now.getTime() - Date.parse(root.time)) / 86_400_000);
  const taken = own || sender?.taken.includes(bundle.sha256) === true;
  if (taken) return { taken, ageDays, warnings: [] };
  if (root.expires !== null && now.getTime() > Date.parse(root.expires) && !allows('expired')) {
    throw new KubedosError('trust.expired', `import bundle ${id}: it expired at ${root.expires}`, {
      hint: 'get a newer bundle; or, if this one is wanted all the same: --allow expired',
    });
  }
  const last = sender?.sequence ?? 0;
  if (root.sequence < last && !allows('rollback')) {
    throw new KubedosError(
      'trust.rollback',
      `import bundle ${id}: sequence ${root.sequence}, ${last} was taken from this sender before`,
      {
        hint: 'get a newer bundle; or, if the older state is wanted: --allow rollback',
      },
    );
  }
  if (last > 0 && root.sequence > last + MAX_SEQUENCE_JUMP && !allows('jump')) {
    throw new KubedosError(
      'trust.rollback',
      `import bundle ${id}: sequence ${root.sequence} jumps more than ${MAX_SEQUENCE_JUMP} ahead of ${last}`,
      {
        hint: 'ask the sender whether that is right, then: --allow jump',
      },
    );
  }
  return { taken, ageDays, warnings: warningsOf(bundle, sender, ageDays) };
}

function warningsOf({ root }: Bundle, sender: SenderRecord | undefined, ageDays: number): string[] {
  const warnings: string[] = [];
  if (ageDays > ALARM_AGE_DAYS) {
    warnings.push(`the newest snapshot is ${ageDays} days old: do transfers still arrive?`);
  }
  if (ageDays < 0)
    warnings.push(`the newest snapshot is of ${root.time}, which is in the future of this machine's clock`);
  if (sender !== undefined && sender.generation !== root.generation) {
    warnings.push('the sender was made anew since the last bundle');
  }
  const { previous } = root;
  if (sender !== undefined && previous !== null && !sender.taken.includes(previous.sha256)) {
    warnings.push(`the bundle before it (sequence ${previous.sequence}) was not taken here`);
  }
  return warnings;
}
