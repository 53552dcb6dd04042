/** What a package of apt asks for. */
import type { Demand } from '../../curate/closure.ts';
import { groupsOf } from './choice.ts';
import type { PackageTable, Row } from './package-table.ts';

/** The fields that are followed, in this order; their places in this list are what Reasons keeps. */
export const FOLLOWED = ['Pre-Depends', 'Depends', 'Recommends'] as const;
export type Followed = (typeof FOLLOWED)[number];

/** In the order of `fields`, then as they stand. */
export function* demandsOf(table: PackageTable, row: Row, fields: readonly Followed[]): Generator<Demand> {
  const stanza = table.stanza(row);
  for (const name of fields) {
    const field = FOLLOWED.indexOf(name);
    for (const [place, text] of groupsOf(stanza.get(name)).entries())
      yield { field, place, text, weak: name === 'Recommends' };
  }
}
