/** Cuts a metadata file where the names of its packages say so, as pieces.ts does for the indexes of apt. */
import { hash } from 'node:crypto';
import { KubedosError } from '../../errors.ts';
import { comparePaths } from '../../formats/path.ts';
import type { MetadataRecord, MetadataType } from '../../formats/rpm/publication.ts';
import { beginsPiece, Gatherer, MAX_PIECE_BYTES, type Piece } from '../piece-cutting.ts';

const RPM = ' xmlns:rpm="http://linux.duke.edu/metadata/rpm"';
const ROOTS: Readonly<Record<MetadataType, { readonly name: string; readonly namespaces: string }>> = {
  primary: { name: 'metadata', namespaces: ` xmlns="http://linux.duke.edu/metadata/common"${RPM}` },
  filelists: { name: 'filelists', namespaces: ' xmlns="http://linux.duke.edu/metadata/filelists"' },
  other: { name: 'otherdata', namespaces: ' xmlns="http://linux.duke.edu/metadata/other"' },
};

/** The root's start and end are pieces of their own: the number of packages stands in it. `internal.bug` where the order is broken. */
export async function* metadataPieces(
  type: MetadataType,
  packages: number,
  records: AsyncIterable<MetadataRecord>,
): AsyncGenerator<Piece> {
  const { name: root, namespaces } = ROOTS[type];
  yield pieceOf(`<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespaces} packages="${packages}">\n`);
  const gathered = new Gatherer();
  let previous: string | undefined;
  let count = 0;
  for await (const { name, bytes } of records) {
    const order = previous === undefined ? -1 : comparePaths(previous, name);
    if (order > 0)
      throw new KubedosError(
        'internal.bug',
        `publish ${type}: expected records sorted by name, got ${name} after ${previous}`,
      );
    const full = gathered.bytes + bytes.length > MAX_PIECE_BYTES;
    if (gathered.bytes > 0 && (full || (order < 0 && beginsPiece(Buffer.from(name))))) yield gathered.take();
    gathered.add(bytes);
    gathered.add(LINE_END);
    previous = name;
    count += 1;
  }
  if (gathered.bytes > 0) yield gathered.take();
  if (count !== packages)
    throw new KubedosError('internal.bug', `publish ${type}: expected ${packages} records, got ${count}`);
  yield pieceOf(`</${root}>\n`);
}

const LINE_END = Buffer.from('\n');

function pieceOf(text: string): Piece {
  const content = Buffer.from(text);
  return { content, sha256: hash('sha256', content, 'hex') };
}
