/** Two lists on a volume name the hash of each file, volume.json and SHA256SUMS: from both follows which file is damaged. */
import { hash } from 'node:crypto';
import { SUMS_NAME, VOLUME_NAME } from './names.ts';
import type { VolumeDocument, VolumeFile } from './types.ts';
import { sumsText, volumeBytes } from './volume-document.ts';

/** What was seen of a file. */
export interface Seen {
  readonly name: string;
  readonly sizeBytes: number;
  /** `undefined`: the file is missing or cannot be read. */
  readonly sha256: string | undefined;
  /** True or false where the signed root decides; `undefined` where only the lists can. */
  readonly sound: boolean | undefined;
}

/** Names of files that do not fit, VOLUME_NAME and SUMS_NAME among them. */
export function judge(
  seen: readonly Seen[],
  lists: {
    readonly document: VolumeDocument | undefined;
    /** Of volume.json as it lies there. */
    readonly documentBytes: Buffer | undefined;
    readonly sums: string | undefined;
  },
): Set<string> {
  const bad = new Set<string>();
  const listed = new Map(filesOf(lists.document).map(({ name, sha256 }) => [name, sha256]));
  const sizes = new Map(filesOf(lists.document).map(({ name, sizeBytes }) => [name, sizeBytes]));
  const summed = parseSums(lists.sums ?? '');
  const truth = new Map<string, VolumeFile>();
  for (const { name, sizeBytes, sha256, sound } of seen) {
    const first = listed.get(name);
    const second = summed.get(name);
    const misnamed = lists.document === undefined ? undefined : whichMisnames({ first, second, sha256 });
    if (misnamed !== undefined) {
      bad.add(misnamed);
      if (sha256 !== undefined) truth.set(name, { name, sizeBytes, sha256 });
      continue;
    }
    const agreed = first === second || second === undefined ? first : first === undefined ? second : undefined;
    const right = sound === true ? sha256 : (agreed ?? (sha256 === first || sha256 === second ? sha256 : undefined));
    if (sound === false || right === undefined || sha256 !== right) bad.add(name);
    if (right !== undefined) truth.set(name, { name, sizeBytes, sha256: right });
    if (right !== undefined && first !== undefined && first !== right) bad.add(VOLUME_NAME);
    if (right !== undefined && right === sha256 && sizes.has(name) && sizes.get(name) !== sizeBytes)
      bad.add(VOLUME_NAME);
    if (right === undefined && first !== second) bad.add(VOLUME_NAME).add(SUMS_NAME);
  }
  if (lists.document === undefined) bad.add(VOLUME_NAME);
  if (bad.has(VOLUME_NAME)) {
    // Its true text cannot be told any more; the other lines of the sums still can.
    for (const [name, file] of truth) if (summed.get(name) !== file.sha256) bad.add(SUMS_NAME);
    if (
      lists.sums === undefined ||
      ![...summed.keys()].every((name) => name === VOLUME_NAME || truth.has(name) || bad.has(name))
    ) {
      bad.add(SUMS_NAME);
    }
    return bad;
  }
  const document = lists.document;
  if (
    document !== undefined &&
    lists.documentBytes?.equals(volumeBytes(document)) === true &&
    truth.size === seen.length
  ) {
    const own = { name: VOLUME_NAME, sha256: hash('sha256', lists.documentBytes, 'hex') };
    if (lists.sums !== sumsText([...truth.values(), own])) bad.add(SUMS_NAME);
  }
  return bad;
}

/** A list whose very name for a file is damaged: there is no such file, or one that the other list knows with its right hash. */
function whichMisnames(file: {
  readonly first: string | undefined;
  readonly second: string | undefined;
  readonly sha256: string | undefined;
}): string | undefined {
  const { first, second, sha256 } = file;
  if (first === undefined && second !== undefined)
    return sha256 === undefined ? SUMS_NAME : sha256 === second ? VOLUME_NAME : undefined;
  return second === undefined && sha256 === undefined ? VOLUME_NAME : undefined;
}

function filesOf(document: VolumeDocument | undefined): VolumeFile[] {
  return document === undefined ? [] : [...document.documents, ...document.packs, ...document.parity];
}

/** Name → hash of the lines that have the right form. */
export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}(.{1,200})$/.exec(line) ?? [];
    if (sha256 !== undefined && name !== undefined) sums.set(name, sha256);
  }
  return sums;
}
