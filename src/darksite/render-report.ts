import type { DarksiteReport, HostResult, MissingVersion } from './types.ts';

/** Most lines of one sort for one host; JSON has all. */
const MAX_LISTED = 30;

/** For people; JSON is the report itself. Ends in a newline. */
export function reportText(report: DarksiteReport): string {
  const failed = report.hosts.filter(({ resolves }) => !resolves).length;
  const total = `${report.hosts.length} ${report.hosts.length === 1 ? 'host' : 'hosts'}`;
  const verdict = failed === 0 ? `${total}: all would resolve` : `${total}: ${failed} would not resolve`;
  return `${[...report.hosts.flatMap(hostLines), verdict].join('\n')}\n`;
}

function hostLines(result: HostResult): string[] {
  const state = result.resolves
    ? `resolves: ${result.listed} listed, ${result.installs} to install`
    : `does not resolve: ${result.missing.length + result.missingVersions.length} of ${result.listed} missing`;
  return [
    `${result.host} (${result.architecture}): ${state}`,
    ...listed(result.missing.map((name) => `missing    ${name}`)),
    ...listed(result.missingVersions.map((one) => `missing    ${one.name} ${versions(one)}`)),
    ...listed(result.problems.map((problem) => `unmet      ${problem}`)),
    ...listed(result.otherVersions.map((one) => `other      ${one.name} ${versions(one)}`)),
  ];
}

function versions({ wanted, here }: MissingVersion): string {
  return `${wanted}; here is ${here.join(', ')}`;
}

function listed(lines: readonly string[]): string[] {
  const shown = lines.slice(0, MAX_LISTED).map((line) => `  ${line}`);
  if (lines.length > MAX_LISTED) shown.push(`  and ${lines.length - MAX_LISTED} more of these`);
  return shown;
}
