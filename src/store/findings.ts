import type { NamedList } from './reachable.ts';
import type { Sha256 } from './types.ts';

export type FindingKind =
  /** A list names an object that is not there. */
  | 'missing-object'
  /** It is there with another size than a list says. */
  | 'wrong-size'
  /** A scrub or a read found it damaged, and nobody repaired it yet. */
  | 'bad-object'
  | 'manifest'
  | 'head'
  | 'snapshot'
  | 'signature'
  | 'channel'
  | 'labels';

export interface Finding {
  readonly kind: FindingKind;
  readonly message: string;
  readonly object?: Sha256;
  readonly path?: string;
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly channel?: string;
}

export function describeList(list: NamedList): string {
  return list.kind === 'head' ? `head of mirror ${list.mirror}` : `snapshot ${list.holder}, mirror ${list.mirror}`;
}

export function placeOf(list: NamedList): Pick<Finding, 'mirror' | 'snapshot'> {
  return list.kind === 'head' ? { mirror: list.mirror } : { mirror: list.mirror, snapshot: list.holder };
}
