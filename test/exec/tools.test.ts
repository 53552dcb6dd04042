/** The wrappers against the real tools. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { runApt } from '../../src/exec/apt.ts';
import { gpgRunner } from '../../src/exec/gpg.ts';
import { par2 } from '../../src/exec/par2.ts';

const dirs: string[] = [];

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-exec-'));
  dirs.push(dir);
  return dir;
}

afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

describe('par2', () => {
  const BLOCK = 4096;
  const bytes = randomBytes(40 * BLOCK);

  async function protectedFile() {
    const folderOfFile = await folder();
    const file = join(folderOfFile, 'pack.tar');
    await writeFile(file, bytes);
    await par2.create({ file, into: folderOfFile, blockBytes: BLOCK, recoveryBlocks: 4 });
    return { folder: folderOfFile, file };
  }

  async function damage(file: string, blocks: number): Promise<void> {
    const damaged = Buffer.from(bytes);
    for (let i = 0; i < blocks; i++) damaged.fill(0, i * 3 * BLOCK, i * 3 * BLOCK + 100);
    await writeFile(file, damaged);
  }

  test('repairs as many blocks as it has', async () => {
    const { folder: dir, file } = await protectedFile();
    await damage(file, 4);
    expect(await par2.repair({ folder: dir, name: 'pack.tar' })).toBe(true);
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  test('brings a missing file back only with enough parity, and says so otherwise', async () => {
    const { folder: dir, file } = await protectedFile();
    await damage(file, 5);
    expect(await par2.repair({ folder: dir, name: 'pack.tar' })).toBe(false);
    await rm(file);
    expect(await par2.repair({ folder: dir, name: 'pack.tar' })).toBe(false);
  });

  test('makes the same parity each time', async () => {
    const [a, b] = [await protectedFile(), await protectedFile()];
    const read = async (dir: string) =>
      Promise.all((await readdir(dir)).sort().map((name) => readFile(join(dir, name), 'base64')));
    expect(await read(a.folder)).toEqual(await read(b.folder));
  });

  test('a file that is not there is a failure', async () => {
    const dir = await folder();
    await expect(
      par2.create({ file: join(dir, 'none'), into: dir, blockBytes: BLOCK, recoveryBlocks: 1 }),
    ).rejects.toMatchObject({ code: 'exec.failed' });
  });
});

describe('apt', () => {
  async function root(): Promise<string> {
    const dir = await folder();
    for (const name of ['state/lists/partial', 'cache/archives/partial', 'etc'])
      await mkdir(join(dir, name), { recursive: true });
    await writeFile(join(dir, 'status'), '');
    const config = join(dir, 'apt.conf');
    const set = { State: `${dir}/state`, Cache: `${dir}/cache`, Etc: `${dir}/etc`, 'State::Status': `${dir}/status` };
    const lines = Object.entries(set).map(([name, value]) => `Dir::${name} "${value}";`);
    await writeFile(config, `${lines.join('\n')}\nAPT::Architecture "amd64";\n`);
    return config;
  }

  test('reads its own configuration alone, and its refusal is an answer', async () => {
    const configFile = await root();
    const refused = await runApt('apt-get', ['install', '-s', 'no-such-package'], { configFile });
    expect(refused).toMatchObject({ status: 100, stderr: expect.stringContaining('Unable to locate package') });
    const known = await runApt('apt-cache', ['pkgnames'], { configFile });
    expect(known).toMatchObject({ status: 0, stdout: '' });
  });
});

describe('gpg', () => {
  test('runs with its own home', async () => {
    const gpg = gpgRunner({ homeDir: await folder() });
    expect((await gpg(['--list-keys', '--with-colons'], Buffer.alloc(0))).toString()).not.toContain('pub');
    await expect(gpg(['--no-such-option'], Buffer.alloc(0))).rejects.toMatchObject({ code: 'exec.failed' });
  });
});
