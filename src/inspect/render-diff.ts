/** A comparison of snapshots for people: as text and as Markdown. JSON is the value itself. */
import type { AdvisoryChange } from './advisories.ts';
import { isRpm, type PackageChange, type PackageChangeKind } from './package-pairs.ts';
import type { FileChange, MirrorDiff, SnapshotDiff } from './snapshot-diff.ts';

const KINDS: readonly PackageChangeKind[] = ['upgraded', 'downgraded', 'rebuilt', 'added', 'removed', 'moved'];

/** Lines without colour; the last one ends in a newline. */
export function diffText(diff: SnapshotDiff): string {
  const lines = [`${diff.before.id} (${diff.before.time}) → ${diff.after.id} (${diff.after.time})`];
  for (const mirror of diff.mirrors) {
    lines.push('', `${mirror.name}: ${summary(mirror)}`);
    for (const kind of KINDS)
      for (const change of ofKind(mirror, kind))
        lines.push(`  ${kind.padEnd(10)} ${packageName(change)} ${versions(change)}`);
    for (const advisory of mirror.advisories)
      lines.push(`  ${advisoryKind(advisory).padEnd(10)} ${advisoryWords(advisory)}: ${advisory.packages.join(', ')}`);
    for (const file of shownFiles(mirror)) lines.push(`  ${fileKind(file).padEnd(10)} ${file.path}`);
    const more = mirror.files.length - shownFiles(mirror).length;
    if (more > 0) lines.push(`  and ${more} files named by their hash`);
  }
  return `${lines.join('\n')}\n`;
}

/** For an issue, a change request or a mail. */
export function diffMarkdown(diff: SnapshotDiff): string {
  const lines = [
    `# Changes from ${diff.before.id} to ${diff.after.id}`,
    '',
    `${diff.before.time} → ${diff.after.time}`,
  ];
  for (const mirror of diff.mirrors) {
    lines.push('', `## ${escaped(mirror.name)}`, '', `${summary(mirror)}.`);
    const changes = KINDS.flatMap((kind) => ofKind(mirror, kind));
    if (changes.length > 0) lines.push('', '| change | package | before | after |', '|---|---|---|---|');
    for (const change of changes) {
      const cells = [change.kind, packageName(change), change.before?.version ?? '', change.after?.version ?? ''];
      lines.push(`| ${cells.map(escaped).join(' | ')} |`);
    }
    if (mirror.advisories.length > 0) lines.push('', '| advisory | kind | CVE | packages |', '|---|---|---|---|');
    for (const advisory of mirror.advisories) {
      const { id, title, cves, packages } = advisory;
      const cells = [`${id} ${title}`, advisoryKind(advisory), cves.join(', '), packages.join(', ')];
      lines.push(`| ${cells.map(escaped).join(' | ')} |`);
    }
    const files = shownFiles(mirror);
    if (files.length > 0) lines.push('', '<details><summary>Other files</summary>', '');
    for (const file of files) lines.push(`- ${fileKind(file)} ${escaped(file.path)}`);
    if (files.length > 0) lines.push('', '</details>');
  }
  return `${lines.join('\n')}\n`;
}

/** `3 upgraded, 1 added, 2 security fixes (CVE-2024-1, CVE-2024-2), 5 other files; 80.5 MB more`. */
function summary(mirror: MirrorDiff): string {
  const { before, after, state } = mirror;
  if (state === 'unchanged') return 'unchanged';
  if (before === null || after === null) {
    const totals = before ?? after;
    return `${state} with ${totals?.files ?? 0} files, ${size(totals?.bytes ?? 0)}`;
  }
  const parts = KINDS.flatMap((kind) => {
    const count = ofKind(mirror, kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  const security = mirror.advisories.filter(({ type }) => type === 'security');
  if (security.length > 0) {
    const cves = [...new Set(security.flatMap((each) => each.cves))].sort();
    const named =
      cves.length === 0
        ? ''
        : ` (${cves.slice(0, MAX_CVES).join(', ')}${cves.length > MAX_CVES ? `, ${cves.length - MAX_CVES} more` : ''})`;
    parts.push(`${security.length} security ${security.length === 1 ? 'fix' : 'fixes'}${named}`);
  }
  if (mirror.files.length > 0)
    parts.push(`${mirror.files.length} other ${mirror.files.length === 1 ? 'file' : 'files'}`);
  const growth = after.bytes - before.bytes;
  const grown = growth === 0 ? 'same size' : `${size(Math.abs(growth))} ${growth > 0 ? 'more' : 'less'}`;
  return `${parts.join(', ')}; ${grown}`;
}

/** In a summary; the lines below have all. */
const MAX_CVES = 10;

function advisoryKind({ type }: AdvisoryChange): string {
  return type || 'advisory';
}

function advisoryWords({ id, title, cves }: AdvisoryChange): string {
  return `${id}${title === '' ? '' : ` ${title}`}${cves.length === 0 ? '' : ` (${cves.join(', ')})`}`;
}

function ofKind(mirror: MirrorDiff, kind: PackageChangeKind): readonly PackageChange[] {
  return mirror.packages.filter((change) => change.kind === kind);
}

/** Those named by their hash are by-hash copies of apt's indexes, or metadata that a repomd.xml names. */
function shownFiles(mirror: MirrorDiff): readonly FileChange[] {
  return mirror.files.filter(({ path }) => !/\/by-hash\/|(?:^|\/)repodata\/[0-9a-f]{64}/.test(path));
}

function fileKind({ before, after }: FileChange): string {
  return before === null ? 'added' : after === null ? 'removed' : 'changed';
}

function packageName({ name, architecture, before, after }: PackageChange): string {
  const file = after ?? before;
  if (file !== null && isRpm(file)) return architecture === 'noarch' ? name : `${name}.${architecture}`;
  return architecture === 'all' ? name : `${name}:${architecture}`;
}

function versions({ kind, before, after }: PackageChange): string {
  if (kind === 'moved') return `${after?.version} (${before?.path} → ${after?.path})`;
  if (kind === 'rebuilt') return `${after?.version} (other bytes)`;
  return [before, after].flatMap((file) => (file === null ? [] : [file.version])).join(' → ');
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Names and versions come from packages: none of them may become markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|~]/g, '\\$&');
}
