/**
 * Goes through a pack side by side with its part of the contents list. Nothing in the tar is interpreted: each header
 * is compared with the only one that may stand there.
 */
import { KubedosError } from '../errors.ts';
import type { BlockReader } from './block-reader.ts';
import { memberName } from './names.ts';
import type { PackMember } from './types.ts';
import { BLOCK_BYTES, describeHeader, paddedBytes, TRAILER_BYTES, writeHeader } from './ustar.ts';

export interface PackVisitor {
  /** Reads the member's bytes, or a part of them, or none. */
  body(member: PackMember, reader: BlockReader): Promise<void>;
  /** Something that is not part of an object is not what it must be: header, padding, end. */
  onDamage(what: string): void;
  /** The file ends before this member does. */
  onMissing(member: PackMember): void;
}

/** Throws `bundle.invalid` where another member was put in on purpose: its header is sound, and not the one listed. */
export async function walkPack(
  reader: BlockReader,
  input: { readonly members: AsyncIterable<readonly PackMember[]>; readonly mtime: number; readonly origin: string },
  visitor: PackVisitor,
): Promise<void> {
  const expected = Buffer.alloc(BLOCK_BYTES);
  let position = 0;
  for await (const batch of input.members) {
    for (const member of batch) {
      const padded = paddedBytes(member.sizeBytes);
      reader.seek(position);
      if (reader.left < BLOCK_BYTES + member.sizeBytes) {
        visitor.onMissing(member);
        position += BLOCK_BYTES + padded;
        continue;
      }
      const name = memberName(member);
      writeHeader(expected, 0, { name, sizeBytes: member.sizeBytes, mtime: input.mtime });
      const header = await reader.bytes(BLOCK_BYTES);
      if (!header.equals(expected)) refuseOrReport(header, { name, origin: input.origin }, visitor);
      await visitor.body(member, reader);
      position += BLOCK_BYTES;
      reader.seek(position + member.sizeBytes);
      const padding = await reader.bytes(padded - member.sizeBytes);
      if (!allZero(padding)) visitor.onDamage(`the padding after ${name}`);
      position += padded;
    }
  }
  reader.seek(position);
  const trailer = await reader.bytes(TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES || !allZero(trailer)) visitor.onDamage('the end of the archive');
}

function refuseOrReport(
  header: Buffer,
  { name, origin }: { readonly name: string; readonly origin: string },
  visitor: PackVisitor,
): void {
  const found = describeHeader(header);
  if (found === undefined) {
    visitor.onDamage(`the header of ${name}`);
    return;
  }
  throw new KubedosError('bundle.invalid', `read ${origin}: it holds a ${found}, the signed list says ${name}`, {
    hint: 'this was not made by the sender: do not use the medium',
  });
}

function allZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
