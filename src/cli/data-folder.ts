import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `--data`, else KUBEDOS_DATA, else /var/lib/kubedos for root and the XDG data folder for everybody else. */
export function dataFolder(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const chosen = option ?? env.KUBEDOS_DATA;
  if (chosen) return resolve(chosen);
  if (process.getuid?.() === 0) return '/var/lib/kubedos';
  return join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'kubedos');
}
