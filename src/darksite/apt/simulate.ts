import { lastLines } from '../each-host.ts';
import type { AptRoot } from './apt-root.ts';

export interface Simulation {
  /** Packages that apt would install; null where it would not. */
  readonly installs: number | null;
  readonly problems: readonly string[];
}

/** Lets apt install these (`name`, `name:arch`, `name=version`) together, from nothing, without doing it. */
export async function simulateInstall(
  root: AptRoot,
  wanted: readonly string[],
  signal?: AbortSignal | undefined,
): Promise<Simulation> {
  if (wanted.length === 0) return { installs: 0, problems: [] };
  // Arguments beginning with a hyphen cannot come: package names do not.
  const { status, stdout, stderr } = await root.run('apt-get', ['install', '-s', '-q', ...wanted], signal);
  if (status === 0) return { installs: (stdout.match(/^Inst /gm) ?? []).length, problems: [] };
  const unmet = unmetLines(stdout);
  return { installs: null, problems: unmet.length > 0 ? unmet : [lastLines(stderr)] };
}

/**
 * apt's own words for what it cannot meet, a line for each package and dependency:
 *
 *   The following packages have unmet dependencies:
 *    a : Depends: gone but it is not installable or
 *                 gone2 but it is not installable
 *        Depends: b (>= 2) but 1 is to be installed
 */
function unmetLines(stdout: string): string[] {
  const [, block = ''] = stdout.split('The following packages have unmet dependencies:\n', 2);
  const lines: string[] = [];
  let package_ = '';
  for (const line of block.split('\n')) {
    const text = line.trim();
    if (!line.startsWith(' ') || text === '') break;
    const [, name, rest] = /^ (\S+) : (.*)$/.exec(line) ?? [];
    const last = lines.at(-1);
    if (name !== undefined && rest !== undefined) {
      package_ = name;
      lines.push(`${name}: ${rest.trim()}`);
    } else if (last?.endsWith(' or')) {
      lines[lines.length - 1] = `${last} ${text}`;
    } else {
      lines.push(`${package_}: ${text}`);
    }
  }
  return lines;
}
