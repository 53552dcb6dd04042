/** rpm(8), as a reader of its database. */
import { run } from './run.ts';

/** A line for each package of the database in the folder (`rpmdb.sqlite`), in this format of `--queryformat`. */
export async function queryRpm(folder: string, format: string, signal?: AbortSignal): Promise<string> {
  const { stdout } = await run(['rpm', '--dbpath', folder, '--query', '--all', '--queryformat', `${format}\\n`], {
    timeoutMs: 60_000,
    maxOutputBytes: 64 * 1024 * 1024,
    signal,
    debianPackage: 'rpm',
  });
  return stdout.toString('utf8');
}
