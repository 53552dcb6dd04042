/** The records of a primary.xml, and those that two states of it differ in; what one says: primary.ts. */
import type { ByteSource } from '../byte-source.ts';
import { type RecordChanges, recordChanges } from '../xml/record-changes.ts';
import { xmlRecords } from '../xml/records.ts';

const RECORDS = { root: 'metadata', record: 'package' };
/** More than this, and reading the whole costs no more. */
const MOST_CHANGES = 2000;

/** The records of a primary.xml, expanded. Errors of xmlRecords. */
export function primaryRecords(source: ByteSource, origin: string): AsyncGenerator<Buffer[]> {
  return xmlRecords(source, { origin, ...RECORDS });
}

/** The records that only one of two files has: see recordChanges. */
export function primaryChanges(
  before: ByteSource,
  after: ByteSource,
  origin: string,
): Promise<RecordChanges | undefined> {
  return recordChanges(before, after, { origin, ...RECORDS, most: MOST_CHANGES });
}
