/** Cuts a metadata file where the names of its packages say so, as pieces.ts does for the indexes of apt. */
import { hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { comparePaths } from '../../formats/path.ts';
import type { KeptPiece, MetadataRecord, MetadataType } from '../../formats/rpm/publication.ts';
import type { PackedPiece } from '../index-writer.ts';
import { beginsPiece, Gatherer, MAX_PIECE_BYTES, type Piece } from '../piece-cutting.ts';
import type { PieceFacts } from '../piece-list.ts';

const RPM = ' xmlns:rpm="http://linux.duke.edu/metadata/rpm"';
export const ROOTS: Readonly<Record<MetadataType, { readonly name: string; readonly namespaces: string }>> = {
  primary: { name: 'metadata', namespaces: ` xmlns="http://linux.duke.edu/metadata/common"${RPM}` },
  filelists: { name: 'filelists', namespaces: ' xmlns="http://linux.duke.edu/metadata/filelists"' },
  other: { name: 'otherdata', namespaces: ' xmlns="http://linux.duke.edu/metadata/other"' },
};

export type MetadataPiece = (Piece | PackedPiece) & Pick<PieceFacts, 'first' | 'begins' | 'packages'>;

/** The root's start and end are pieces of their own: the number of packages stands in it. `internal.bug` where the order is broken. */
export async function* metadataPieces(
  type: MetadataType,
  packages: number,
  records: AsyncIterable<MetadataRecord | KeptPiece>,
): AsyncGenerator<MetadataPiece> {
  const { name: root, namespaces } = ROOTS[type];
  yield pieceOf(`<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespaces} packages="${packages}">\n`);
  const gathered = new Gatherer();
  let open = { first: '', begins: false, packages: 0 };
  let previous: string | undefined;
  let count = 0;
  for await (const next of records) {
    const name = 'packed' in next ? next.first : next.name;
    const order = previous === undefined ? -1 : comparePaths(previous, name);
    if (order > 0)
      throw new KubedosError(
        'internal.bug',
        `publish ${type}: expected records sorted by name, got ${name} after ${previous}`,
      );
    previous = name;
    if ('packed' in next) {
      if (gathered.bytes > 0) yield { ...gathered.take(), ...open };
      yield next;
      count += next.packages;
      continue;
    }
    const full = gathered.bytes + next.bytes.length > MAX_PIECE_BYTES;
    const begins = order < 0 && beginsPiece(Buffer.from(name));
    if (gathered.bytes > 0 && (full || begins)) yield { ...gathered.take(), ...open };
    if (gathered.bytes === 0) open = { first: name, begins, packages: 0 };
    gathered.add(next.bytes);
    gathered.add(LINE_END);
    open.packages += 1;
    count += 1;
  }
  if (gathered.bytes > 0) yield { ...gathered.take(), ...open };
  if (count !== packages)
    throw new KubedosError('internal.bug', `publish ${type}: expected ${packages} records, got ${count}`);
  yield pieceOf(`</${root}>\n`);
}

const LINE_END = Buffer.from('\n');

function pieceOf(text: string): MetadataPiece {
  const content = Buffer.from(text);
  return { content, sha256: hash('sha256', content, 'hex'), first: '', begins: false, packages: 0 };
}
