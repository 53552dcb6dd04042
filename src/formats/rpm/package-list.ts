/**
 * Lists of packages as hosts give them: `rpm -qa`, `dnf list --installed`, or written by hand: `name`, `name.arch`,
 * `name-[epoch:]version-release[.arch]`, one a line, with # comments. The forms may be mixed. A `=` before a line demands
 * that version: `=bash-5.1.8-9.el9`.
 */
import { KubedosError } from '../../errors.ts';

/** Most lines of a list. */
const MAX_LISTED = 1_000_000;

export interface ListedRpm {
  /** As it stands, without a `=`. */
  readonly text: string;
  /** That version is demanded; the others are what a host has. */
  readonly exact: boolean;
  /** From 1. */
  readonly line: number;
}

/** One meaning of a line: which it is, only a list of packages can tell. */
export interface RpmReading {
  readonly name: string;
  readonly arch?: string | undefined;
  /** `[epoch:]version-release` */
  readonly evr?: string | undefined;
}

/** `format.syntax` for a line that can name no package. */
export function parseRpmList(text: string, origin: string): ListedRpm[] {
  const lines = text.split('\n', MAX_LISTED + 1);
  if (lines.length > MAX_LISTED)
    throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_LISTED} lines`);
  return lines.flatMap((line, at) => {
    const [word = ''] = line
      .replace(/(?:^|\s)#.*/, '')
      .trim()
      .split(/\s+/);
    // Keys are listed as packages by rpm, and headings by dnf.
    if (word === '' || word.startsWith('gpg-pubkey-') || /^(?:Installed|Available) Packages$/.test(line.trim()))
      return [];
    if (!/^=?[A-Za-z0-9_][A-Za-z0-9._+:~^-]*$/.test(word))
      throw new KubedosError('format.syntax', `parse ${origin}:${at + 1}: ${JSON.stringify(word)} names no package`);
    return [{ text: word.replace(/^=/, ''), exact: word.startsWith('='), line: at + 1 }];
  });
}

/** What a line may mean, the likeliest first: `java-1.8.0-openjdk.x86_64` is a name with an architecture. */
export function readingsOf(text: string): RpmReading[] {
  const readings: RpmReading[] = [{ name: text }];
  const [, beforeDot, afterDot] = /^(.+)\.([A-Za-z0-9_]+)$/.exec(text) ?? [];
  if (beforeDot !== undefined) readings.push({ name: beforeDot, arch: afterDot });
  for (const [whole, arch] of [
    [beforeDot, afterDot],
    [text, undefined],
  ]) {
    const [, name, evr] = /^(.+)-((?:\d+:)?[^-:]+-[^-:]+)$/.exec(whole ?? '') ?? [];
    if (name !== undefined) readings.push({ name, evr, arch });
  }
  return readings;
}
