/**
 * Records of primary.xml, filelists.xml and other.xml, byte for byte as createrepo_c writes them (xml_dump_primary.c,
 * xml_dump_filelists.c, xml_dump_other.c). Text with characters that XML cannot hold loses those.
 */
import { escapeText } from '../xml/escape.ts';
import { attributesText } from '../xml/write.ts';
import {
  type Capability,
  type ChangelogEntry,
  DEPENDENCY_KINDS,
  type Nevra,
  type PackagedFile,
  type PackageFacts,
} from './package.ts';

/** `files`: all that the package has; those that dependencies name often are written. */
export function primaryRecord(facts: PackageFacts, files: readonly PackagedFile[]): string {
  const { packageBytes, installedBytes, archiveBytes, headerRange } = facts;
  const [start, end] = headerRange;
  const capabilities = DEPENDENCY_KINDS.map((kind) => capabilityLines(kind, facts.capabilities[kind] ?? [])).join('');
  return `<package type="rpm">
  <name>${escapeText(facts.name)}</name>
  <arch>${escapeText(facts.arch)}</arch>
  ${versionElement(facts)}
  <checksum${attributesText({ type: facts.checksumType, pkgid: 'YES' })}>${facts.pkgid}</checksum>
  <summary>${escapeText(facts.summary)}</summary>
  <description>${escapeText(facts.description)}</description>
  <packager>${escapeText(facts.packager)}</packager>
  <url>${escapeText(facts.url)}</url>
  <time file="${facts.fileTime}" build="${facts.buildTime}"/>
  <size package="${packageBytes}" installed="${installedBytes}" archive="${archiveBytes}"/>
  <location${attributesText({ 'xml:base': facts.base, href: facts.href })}/>
  <format>
    <rpm:license>${escapeText(facts.license)}</rpm:license>
    <rpm:vendor>${escapeText(facts.vendor)}</rpm:vendor>
    <rpm:group>${escapeText(facts.group)}</rpm:group>
    <rpm:buildhost>${escapeText(facts.buildHost)}</rpm:buildhost>
    <rpm:sourcerpm>${escapeText(facts.sourceRpm)}</rpm:sourcerpm>
    <rpm:header-range start="${start}" end="${end}"/>
${capabilities}${fileLines(files.filter(isPrimaryFile), '    ')}  </format>
</package>`;
}

export function filelistsRecord(pkgid: string, nevra: Nevra, files: readonly PackagedFile[]): string {
  return `${packageStart(pkgid, nevra)}${fileLines(files, '  ')}</package>`;
}

/** `changelogs` oldest first. */
export function otherRecord(pkgid: string, nevra: Nevra, changelogs: readonly ChangelogEntry[]): string {
  const lines = changelogs.map(
    ({ author, date, text }) => `  <changelog${attributesText({ author, date })}>${escapeText(text)}</changelog>\n`,
  );
  return `${packageStart(pkgid, nevra)}${lines.join('')}</package>`;
}

/** What primary.xml tells of files: below `bin/`, in /etc, and sendmail (cr_is_primary). */
export function isPrimaryFile({ path }: PackagedFile): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}

function packageStart(pkgid: string, nevra: Nevra): string {
  const { name, arch } = nevra;
  return `<package${attributesText({ pkgid, name, arch })}>\n  ${versionElement(nevra)}\n`;
}

function versionElement({ epoch, version, release }: Nevra): string {
  return `<version${attributesText({ epoch, ver: version, rel: release })}/>`;
}

function capabilityLines(kind: string, list: readonly Capability[]): string {
  if (list.length === 0) return '';
  const entries = list.map(({ name, flags, epoch, version, release, pre }) => {
    const own = { name, flags, epoch, ver: version || undefined, rel: release, pre: pre ? '1' : undefined };
    return `      <rpm:entry${attributesText(own)}/>\n`;
  });
  return `    <rpm:${kind}>\n${entries.join('')}    </rpm:${kind}>\n`;
}

function fileLines(files: readonly PackagedFile[], indent: string): string {
  return files
    .map(({ path, type }) => {
      const kind = type === 'file' ? undefined : type;
      return `${indent}<file${attributesText({ type: kind })}>${escapeText(path)}</file>\n`;
    })
    .join('');
}
