/**
 * The contents list: one line a pack member, in the order of packs and of members within them:
 *
 *     <sha256> <size> <pack>                       a whole object
 *     <sha256> <size> <pack> <object>.<index>      an extent of a larger one
 *
 * Sizes in decimal, pack as four digits, index as four digits from 0000. `sha256` is of the member's own bytes.
 */
import { KubedosError } from '../errors.ts';
import type { PackMember } from './types.ts';

export function contentsLine(member: PackMember, pack: number): string {
  const line = `${member.sha256} ${member.sizeBytes} ${String(pack).padStart(4, '0')}`;
  if (member.extent === null) return `${line}\n`;
  return `${line} ${member.extent.object}.${String(member.extent.index).padStart(4, '0')}\n`;
}

const LINE = /^([0-9a-f]{64}) (0|[1-9]\d{0,14}) (\d{4})(?: ([0-9a-f]{64})\.(\d{4}))?$/;

/** Longest line with its newline. */
export const MAX_LINE_BYTES = 64 + 1 + 15 + 1 + 4 + 1 + 64 + 1 + 4 + 1;

export function parseContentsLine(
  line: string,
  origin: string,
): { readonly pack: number; readonly member: PackMember } {
  const match = LINE.exec(line);
  if (match?.[1] === undefined) {
    throw new KubedosError(
      'bundle.invalid',
      `${origin}: not a line of a contents list: ${JSON.stringify(line.slice(0, 160))}`,
    );
  }
  const extent = match[4] === undefined ? null : { object: match[4], index: Number(match[5]) };
  return { pack: Number(match[3]), member: { sha256: match[1], sizeBytes: Number(match[2]), extent } };
}
