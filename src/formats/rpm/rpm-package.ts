/** What a repository's metadata tells of a package, from its header: as createrepo_c takes it (parsehdr.c). */
import { type RpmHeader, readable } from './header.ts';
import { capabilitiesOf } from './header-capabilities.ts';
import type { ChangelogEntry, FileType, PackagedFile, PackageFacts } from './package.ts';
import type { RpmFile } from './rpm-file.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';

const MODE_TYPE = 0o170000;
const MODE_DIRECTORY = 0o040000;
const FLAG_GHOST = 1 << 6;

/** What the header does not know. */
export interface PackagePlace {
  readonly pkgid: string;
  readonly checksumType: string;
  readonly href: string;
  readonly base?: string | undefined;
  /** Seconds. */
  readonly fileTime: number;
  readonly packageBytes: number;
}

export interface RpmPackage {
  readonly facts: PackageFacts;
  /** All, in the order of the header. */
  readonly files: readonly PackagedFile[];
  /** Oldest first. */
  readonly changelogs: readonly ChangelogEntry[];
}

/** `changelogLimit`: so many of the newest entries. */
export function rpmPackage(
  file: RpmFile,
  place: PackagePlace,
  options: { readonly changelogLimit: number } = { changelogLimit: 10 },
): RpmPackage {
  const { header, nevra } = file;
  const files = filesOf(header);
  const facts: PackageFacts = {
    ...nevra,
    pkgid: place.pkgid,
    checksumType: place.checksumType,
    summary: text(header, TAG.summary),
    description: text(header, TAG.description),
    packager: text(header, TAG.packager),
    url: text(header, TAG.url),
    fileTime: place.fileTime,
    buildTime: header.number(TAG.buildTime) ?? 0,
    packageBytes: place.packageBytes,
    installedBytes: header.number(TAG.longSize) ?? header.number(TAG.size) ?? 0,
    archiveBytes: archiveBytes(file),
    href: place.href,
    base: place.base,
    license: text(header, TAG.license),
    vendor: text(header, TAG.vendor),
    group: text(header, TAG.group),
    buildHost: text(header, TAG.buildHost),
    sourceRpm: nevra.arch === 'src' || header.has(TAG.sourceRpm) ? text(header, TAG.sourceRpm) : '(none)',
    headerRange: file.headerRange,
    capabilities: capabilitiesOf(file, files),
  };
  return { facts, files, changelogs: changelogsOf(header, options.changelogLimit) };
}

/** The first of its translations; empty where there is none. */
function text(header: RpmHeader, tag: number): string {
  const [bytes] = header.strings(tag);
  return bytes === undefined ? '' : readable(bytes);
}

/** The payload's size, unpacked: old packages tell it beside the signatures. */
function archiveBytes({ header, signature }: RpmFile): number {
  return (
    signature.number(SIGNATURE_TAG.longArchiveSize) ??
    header.number(SIGNATURE_TAG.longArchiveSize) ??
    header.number(TAG.archiveSize) ??
    signature.number(SIGNATURE_TAG.payloadSize) ??
    0
  );
}

/** As many as there is all of. */
function filesOf(header: RpmHeader): PackagedFile[] {
  const paths = pathsOf(header);
  const modes = header.numbers(TAG.fileModes);
  const flags = header.numbers(TAG.fileFlags);
  return paths
    .slice(0, Math.min(modes.length, flags.length))
    .map((path, i) => ({ path: readable(path), type: typeOf(modes[i] ?? 0, flags[i] ?? 0) }));
}

function pathsOf(header: RpmHeader): Buffer[] {
  if (!header.has(TAG.dirNames)) return header.strings(TAG.oldFileNames);
  const folders = header.strings(TAG.dirNames);
  const names = header.strings(TAG.baseNames);
  return header
    .numbers(TAG.dirIndexes)
    .slice(0, names.length)
    .map((folder, i) => Buffer.concat([folders[folder] ?? Buffer.alloc(0), names[i] ?? Buffer.alloc(0)]));
}

function typeOf(mode: number, flags: number): FileType {
  if ((mode & MODE_TYPE) === MODE_DIRECTORY) return 'dir';
  return (flags & FLAG_GHOST) === 0 ? 'file' : 'ghost';
}

/** At its end; a first one stays. Of the bytes: what does not become text stands before a blank no less. */
function withoutBlanks(author: Buffer): Buffer {
  let end = author.length;
  while (end > 1 && author[end - 1] === BLANK) end--;
  return author.subarray(0, end);
}
const BLANK = 32;

/** Entries of one second are moved apart, since readers take author and time for a key. */
function changelogsOf(header: RpmHeader, limit: number): ChangelogEntry[] {
  const times = header.numbers(TAG.changelogTime);
  const authors = header.strings(TAG.changelogName);
  const texts = header.strings(TAG.changelogText);
  const newest: { author: string; date: number; text: string }[] = [];
  let last = 0;
  for (const [i, date] of times.slice(0, limit).entries()) {
    const author = readable(withoutBlanks(authors[i] ?? Buffer.alloc(0)));
    newest.push({ author, date, text: readable(texts[i] ?? Buffer.alloc(0)) });
    if (date !== last) last = date;
    else
      for (let at = newest.length - 2, time = date; at >= 0 && newest[at]?.date === time; at--, time++) {
        const earlier = newest[at];
        if (earlier) earlier.date += 1;
      }
  }
  return newest.reverse();
}
