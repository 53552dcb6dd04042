/** Names on the medium: lower-case ASCII (SHA256SUMS is the customary exception), at most 100 characters, so that FAT, ISO 9660 and ustar all keep them. */
import type { Sha256 } from '../store/types.ts';
import type { PackMember } from './types.ts';

export const ROOT_NAME = 'bundle.json';
export const ROOT_SIGNATURE_NAME = 'bundle.json.asc';
export const CONTENTS_NAME = 'contents.txt';
export const VOLUME_NAME = 'volume.json';
export const SUMS_NAME = 'SHA256SUMS';

export function bundleId(sequence: number, sha256: Sha256): string {
  return `b${sequence}-${sha256.slice(0, 16)}`;
}

export function volumeFolder(id: string, volume: number): string {
  return `${id}-v${String(volume).padStart(3, '0')}`;
}

const FOLDER = /^(b\d{1,15}-[0-9a-f]{16})-v(\d{3,6})$/;

/** What a folder's name claims; the documents inside decide. */
export function parseVolumeFolder(name: string): { readonly id: string; readonly volume: number } | undefined {
  const match = FOLDER.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { id: match[1], volume: Number(match[2]) };
}

export function packName(pack: number): string {
  return `pack-${String(pack).padStart(4, '0')}.tar`;
}

export function memberObject(member: PackMember): Sha256 {
  return member.extent?.object ?? member.sha256;
}

/** `objects/ab/<sha256>`, or with `.0000` for an extent. */
export function memberName(member: PackMember): string {
  const object = memberObject(member);
  const suffix = member.extent === null ? '' : `.${String(member.extent.index).padStart(4, '0')}`;
  return `objects/${object.slice(0, 2)}/${object}${suffix}`;
}
