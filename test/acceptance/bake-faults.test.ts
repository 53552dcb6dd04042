/** Recipes that cannot be built, full disks and kills: nothing half-done is shown, nothing is left behind. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INSTALLATION } from '../../src/wiring.ts';
import { Bakery } from '../support/bakery.ts';
import { KUBEDOS } from '../support/command-line.ts';
import { kubedos, MINUTE } from '../support/real-debian.ts';
import { seededDraw } from '../support/seed.ts';
import { SmallDisk } from '../support/small-disk.ts';

const KILLS = process.env.KUBEDOS_TEST_FULL ? 60 : 5;
/** Seconds that nothing else sleeps. */
const MARK = '1.4321';
const draw = seededDraw('bake');

let dir: string;
let disk: SmallDisk;
let dark: Bakery;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-bake-faults-'));
  disk = SmallDisk.mount(join(dir, 'disk'));
  await disk.leaveFree({ bytes: 4 * 1024 ** 3 });
  [dark] = (await Bakery.dark(disk.folder, 'dark')) as [Bakery];
  await dark.warm();
}, 15 * MINUTE);
afterAll(async () => {
  disk?.unmount();
  await rm(dir, { recursive: true, force: true });
});

describe('a recipe that cannot be built', () => {
  it.each([
    [
      'a package that no mirror has',
      { packages: ['udev', 'no-such-package'] },
      /bad\.yaml:5: install packages.*no-such-package/s,
    ],
    [
      'packages that apt cannot have together',
      { packages: ['grub-pc', 'grub-efi-amd64'] },
      /bad\.yaml:4: install packages.*unmet dependencies.*grub-pc : (?:Depends|Conflicts)/s,
    ],
    [
      'a hook that fails',
      { hooks: [{ name: 'broken', run: 'echo sorry >&2; exit 3' }] },
      /bad\.yaml:4: hook broken.*sorry/s,
    ],
    [
      'a hook that tries the network',
      { hooks: [{ name: 'far', run: 'ip route get 192.0.2.1' }] },
      /bad\.yaml:4: hook far.*unreachable/s,
    ],
    ['a unit that is not there', { enable: ['absent.service'] }, /bad\.yaml:4: enable units.*absent/s],
    ['a disk that is too small', { disk: { size: '600MiB' } }, /[Nn]o space|Could not allocate/],
    [
      'a partition that is too small',
      { disk: { size: '2GiB', partitions: [{ name: 'var', size: '4MiB', mount: '/var' }] } },
      /bad\.yaml:6: write the file system var: .*(?:[Nn]o space|Could not allocate)/s,
    ],
    [
      'a partition in place of a link',
      { disk: { size: '2GiB', partitions: [{ name: 'own', size: '16MiB', mount: '/vmlinuz/own' }] } },
      /bad\.yaml:\d+: find the places of partitions: disk: partitions: \/vmlinuz\/own: \/vmlinuz is no folder/,
    ],
  ])(
    '%s',
    async (_, more, words) => {
      const failed = dark.bake(await dark.recipe('bad', more));
      await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(words) });
      expect(await dark.leftOvers()).toEqual([]);
      expect(await kubedos(dark.data, 'mirror', 'list')).not.toContain('image-bad');
    },
    5 * MINUTE,
  );
});

describe('a build', () => {
  it(
    'ends what a hook leaves running',
    async () => {
      const run = `sleep ${MARK}e3 &\nsetsid sh -c "while :; do date +%N > /etc/drifting; done" &\nsleep 0.1`;
      const baked = await dark.bake(await dark.recipe('daemon', { hooks: [{ name: 'daemon', run }] }));
      expect(baked.artifacts).toHaveLength(1);
      expect(await processes()).toEqual([]);
      expect(await dark.leftOvers()).toEqual([]);
    },
    5 * MINUTE,
  );

  it(
    'meets a full disk, tells of it, and goes on when there is room',
    async () => {
      // Too little for its packages, for its layer, and for its disk.
      const hooks = [{ name: 'fill', run: 'head -c 64M /dev/urandom > /srv/filling' }];
      const file = await dark.recipe('full', { hooks });
      for (const mib of [8, 40, 100, 300]) {
        await disk.leaveFree({ bytes: mib * 1024 ** 2 });
        await expect(dark.bake(file)).rejects.toMatchObject({
          message: expect.stringMatching(/room|[Nn]o space|full/),
        });
        expect(await dark.leftOvers()).toEqual([]);
        expect(await dark.builds()).toEqual([]);
        expect(await kubedos(dark.data, 'mirror', 'list')).not.toContain('image-full');
      }
      await disk.leaveFree({ bytes: 4 * 1024 ** 3 });
      expect((await dark.bake(file)).artifacts).toHaveLength(1);
    },
    10 * MINUTE,
  );

  it(
    'is killed at random moments, and leaves neither mounts nor loops nor processes',
    async () => {
      const recipe = (count: number): Promise<string> =>
        dark.recipe('killed', { hooks: [{ name: 'long', run: `: ${count}; sleep ${MARK}` }] });
      const begun = Date.now();
      await dark.bake(await recipe(0));
      const durationMs = Date.now() - begun;
      let shown = await kubedos(dark.data, 'mirror', 'list', '--json');
      let midway = 0;
      for (let count = 1; count <= KILLS; count++) {
        const file = await recipe(count);
        const argv = ['bake', file, '--quiet', '--data', dark.data];
        const child = spawn(KUBEDOS[0] as string, [...KUBEDOS.slice(1), ...argv], {
          cwd: INSTALLATION,
          stdio: 'ignore',
        });
        const ended = new Promise((resolve) => child.once('close', resolve));
        await pause(draw() * durationMs);
        child.kill('SIGKILL');
        await ended;
        if ((await dark.builds()).length > 0) midway += 1;
        await expect.poll(processes, { timeout: 5000 }).toEqual([]);
        // The kernel takes a namespace apart once its last process is gone, and its loop devices behind that.
        await expect.poll(() => dark.leftOvers(), { timeout: 5000 }).toEqual([]);
        // The old one, or the new one as a build that nobody kills makes it.
        const now = await kubedos(dark.data, 'mirror', 'list', '--json');
        if (now !== shown) {
          expect(await dark.bake(file)).toMatchObject({ changed: false });
          // The disk is small.
          await kubedos(dark.data, 'store', 'gc', '--grace', '0', '--yes');
        }
        shown = now;
      }
      expect(midway).toBeGreaterThan(KILLS / 4);
      // What they had written is cleared by the next run.
      await dark.bake('base');
      expect(await dark.builds()).toEqual([]);
      await kubedos(dark.data, 'store', 'check');
    },
    40 * MINUTE,
  );
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Command lines of whatever works in this store. */
async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const command = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    if (command.startsWith(`sleep\0${MARK}`) || command.includes(`${dark.data}/tmp/bake-`)) found.push(command);
  }
  return found;
}
