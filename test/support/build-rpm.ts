/** Packages by rpmbuild, and repositories of them by createrepo_c. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SPECS = new URL('.', import.meta.url);
/** Changelog entries before the newest three: metadata has the newest ten. */
const CHANGES = 3000;

/** hard.spec, as it is built. */
export async function hardSpec(): Promise<Buffer> {
  const text = await readFile(new URL('hard.spec', SPECS), 'utf8');
  const changes = Array.from({ length: CHANGES }, (_, i) => {
    const day = new Date(Date.UTC(2023, 11, 31) - i * 86_400_000).toUTCString();
    const [weekday = '', date = '', month = '', year = ''] = day.replace(',', '').split(' ');
    return `* ${weekday} ${month} ${date} ${year} C D <c@d> - 0.${CHANGES - i}\n- change ${i}`;
  });
  return specBytes(text.replace('@CHANGES@', changes.join('\n')));
}

/** `@E9@` is a byte, of no UTF-8 perhaps: `é` of ISO 8859-1. */
export function specBytes(text: string): Buffer {
  const parts = text.split(/@([0-9A-F]{2})@/);
  return Buffer.concat(parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.from(part, 'hex'))));
}

/** Builds a spec; the packages lie in `target` afterwards. Times and host are fixed. */
export async function buildRpms(
  spec: Uint8Array,
  target: string,
  folder: string,
  ...options: readonly string[]
): Promise<string[]> {
  const file = join(folder, 'package.spec');
  for (const each of [target, folder]) await mkdir(each, { recursive: true });
  await writeFile(file, spec);
  const defines = [
    `_topdir ${folder}/rpmbuild`,
    '_buildhost builder.example.org',
    'use_source_date_epoch_as_buildtime 1',
    'clamp_mtime_to_source_date_epoch 1',
    '_invalid_encoding_terminates_build 0',
    // Folders hold more than the packages name, and nothing of it is a program.
    '_unpackaged_files_terminate_build 0',
    '__os_install_post %{nil}',
  ];
  const args = ['-ba', ...defines.flatMap((define) => ['--define', define]), ...options, file];
  await run('rpmbuild', args, {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1714608000', LC_ALL: 'C.UTF-8' },
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const kind of ['RPMS', 'SRPMS']) {
    const from = join(folder, 'rpmbuild', kind);
    const names = await readdir(from, { recursive: true }).catch(() => []);
    for (const name of names.filter((each) => each.endsWith('.rpm')))
      await cp(join(from, name), join(target, name.split('/').at(-1) ?? name), { preserveTimestamps: true });
  }
  return (await readdir(target)).filter((name) => name.endsWith('.rpm')).sort();
}

export async function createRepo(folder: string, ...args: readonly string[]): Promise<void> {
  // Of texts in several languages it takes that of its own.
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  await run('createrepo_c', ['--quiet', '--no-database', ...args, folder], { env });
}

/** The expanded metadata of a type: `primary`, `filelists`, `other`. */
export async function metadataOf(folder: string, type: string): Promise<Buffer> {
  const names = await readdir(join(folder, 'repodata'));
  const name = names.find((each) => each.includes(`${type}.xml`)) ?? '';
  const { stdout } = await run('zcat', ['-f', join(folder, 'repodata', name)], {
    encoding: 'buffer',
    maxBuffer: 1024 ** 3,
  });
  return stdout;
}
