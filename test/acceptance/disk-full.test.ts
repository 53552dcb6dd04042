/**
 * A disk that is full at any point of a sync, an export or an import: the command says so and where, what there was is
 * seen as before and whole, and with some room the same command goes on to the end.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fastFolder } from '../support/bundle-pair.ts';
import { DIST } from '../support/command-line.ts';
import { type Desk, expectOldOrNew, expectWhole, look } from '../support/desk.ts';
import { type DiskUse, SmallDisk } from '../support/small-disk.ts';
import { makeStages, type Stages } from '../support/transfer-stages.ts';

/** Shares of what the command needs that are free, one run after the other: at each it comes further. */
const ROOM: readonly (readonly [keyof DiskUse, number])[] = [
  ['bytes', 0],
  ['bytes', 0.3],
  ['inodes', 0],
  ['inodes', 0.3],
  ['bytes', 0.4],
];

const start = promisify(execFile);
let dir: string;
let stages: Stages;
const mounted: SmallDisk[] = [];

beforeAll(async () => {
  dir = await fastFolder();
  stages = await makeStages(dir, async (...args) => {
    const { out, failure } = await kubedos(args);
    if (failure !== undefined) throw new Error(JSON.stringify(failure));
    return out;
  });
});
afterEach(() => {
  for (const disk of mounted.splice(0)) disk.unmount();
});
afterAll(async () => {
  await stages?.upstream.close();
  await rm(dir, { recursive: true, force: true });
});

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What it prints, or the error as `--json` shows it. */
async function kubedos(args: readonly string[]): Promise<{ out: string; failure?: Failure }> {
  try {
    const { stdout } = await start(process.execPath, [join(DIST, 'cli/main.js'), ...args]);
    return { out: stdout };
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
    const last = stderr.trim().split('\n').at(-1) ?? '';
    const read = last.startsWith('{') ? (JSON.parse(last) as { error: Failure }).error : undefined;
    return { out: stdout, failure: read ?? { code: 'none', message: stderr } };
  }
}

interface Case {
  readonly base: string;
  /** What lies on the small disk. */
  readonly small: keyof Desk;
  readonly args: (desk: Desk) => readonly string[];
}

async function newDesk({ base, small }: Case): Promise<{ desk: Desk; disk: SmallDisk }> {
  const folder = await mkdtemp(join(dir, 'desk-'));
  const disk = SmallDisk.mount(join(folder, 'disk'));
  mounted.push(disk);
  const desk = { data: join(folder, 'data'), media: join(folder, 'media'), [small]: join(disk.folder, 'x') };
  await mkdir(desk.media);
  await start('cp', ['-a', base, desk.data]);
  return { desk, disk };
}

/** What there is before and after a run with plenty of room, and how much room that takes. */
async function withRoom(given: Case) {
  const { desk, disk } = await newDesk(given);
  const before = await look(desk);
  const used = await disk.used();
  expect((await kubedos([...given.args(desk), '--json'])).failure).toBeUndefined();
  const then = await disk.used();
  const need: DiskUse = { bytes: then.bytes - used.bytes, inodes: then.inodes - used.inodes };
  return { before, after: await look(desk), need };
}

async function fillAtEachPoint(given: Case): Promise<Failure[]> {
  const known = await withRoom(given);
  const { desk, disk } = await newDesk(given);
  const listed = await kubedos(['channel', 'list', '--data', desk.data]);
  const failures: Failure[] = [];
  for (const [what, share] of ROOM) {
    await disk.leaveFree({ [what]: Math.floor(known.need[what] * share) });
    const { failure } = await kubedos([...given.args(desk), '--json']);
    const at = `${share} of ${known.need[what]} ${what}`;
    expect(failure, at).toMatchObject({
      code: 'store.no-space',
      hint: expect.stringContaining('run the same command again'),
    });
    expect(failure?.message ?? '', at).toContain(disk.folder);
    if (failure) failures.push(failure);
    // Old state is still listed while there is no room at all.
    expect(await kubedos(['channel', 'list', '--data', desk.data])).toEqual(listed);
    await disk.leaveFree({});
    await expectOldOrNew(desk, known);
  }
  await disk.leaveFree({});
  expect((await kubedos([...given.args(desk), '--json'])).failure).toBeUndefined();
  expect(await look(desk)).toEqual(known.after);
  await expectWhole(desk.data);
  return failures;
}

const NEEDS = /needs \d+ bytes in .*, \d+ are free/;
const EXPORT = ({ data, media }: Desk): string[] => [
  ...['bundle', 'export', '--channel', 'stable', '--volume-size', '1MB', '--parity', '5%'],
  ...['--to', media, '--data', data],
];

test('sync: the store is full', async () => {
  const failures = await fillAtEachPoint({
    base: stages.toSync,
    small: 'data',
    args: ({ data }) => ['mirror', 'sync', '--data', data],
  });
  expect(failures.filter(({ message }) => NEEDS.test(message))).not.toEqual([]);
});

test('export: the medium is full', async () => {
  const failures = await fillAtEachPoint({ base: stages.toExport, small: 'media', args: EXPORT });
  expect(failures.filter(({ message }) => NEEDS.test(message))).not.toEqual([]);
});

test('export: the store is full', async () => {
  await fillAtEachPoint({ base: stages.toExport, small: 'data', args: EXPORT });
});

test('import: the store is full', async () => {
  const failures = await fillAtEachPoint({
    base: stages.toImport,
    small: 'data',
    args: ({ data }) => ['bundle', 'import', stages.media, '--data', data],
  });
  expect(failures.filter(({ message }) => NEEDS.test(message))).not.toEqual([]);
});

test('a full store is made room in by `store gc`, as the hint says', async () => {
  const { desk, disk } = await newDesk({ base: stages.toCollect, small: 'data', args: () => [] });
  await disk.leaveFree({ bytes: 0, inodes: 0 });
  const full = await disk.used();
  const gc = await kubedos(['store', 'gc', '--grace', '0', '--yes', '--data', desk.data, '--json']);
  expect(gc.failure).toBeUndefined();
  expect((await disk.used()).bytes).toBeLessThan(full.bytes * 0.75);
});
