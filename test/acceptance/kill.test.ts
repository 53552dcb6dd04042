/**
 * kill -9 at random moments. Whatever was under way, each thing that a store or a medium shows is the old one or the
 * new one, the store is whole, and the same command run again gives what an undisturbed run gives.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGc } from '../../src/store/gc.ts';
import { fastFolder } from '../support/bundle-pair.ts';
import { DIST } from '../support/command-line.ts';
import { type Desk, expectOldOrNew, expectWhole, look, withStore } from '../support/desk.ts';
import { Killer } from '../support/kill.ts';
import { seededDraw } from '../support/seed.ts';
import { makeStages, type Stages } from '../support/transfer-stages.ts';

const KILLS = process.env.KUBEDOS_TEST_FULL ? 200 : 15;
/** Of a command that writes for a few moments alone, more are needed before enough of them met it at work. */
const KILLS_AT_MOST = 6 * KILLS;
const STIRRED_AT_LEAST = KILLS / 10;
/** In a row, each after the one before; then the command may end. */
const KILLS_A_ROUND = 5;
/** Undisturbed runs by which the work is timed. */
const TIMED_RUNS = 3;
/** Some moments lie behind the end of the work. */
const BEYOND = 1.1;

const run = promisify(execFile);
const draw = seededDraw('kill');
let dir: string;
let stages: Stages;

beforeAll(async () => {
  dir = await fastFolder();
  stages = await makeStages(
    dir,
    async (...args) => (await run(process.execPath, [join(DIST, 'cli/main.js'), ...args])).stdout,
  );
});
afterAll(async () => {
  await stages?.upstream.close();
  await rm(dir, { recursive: true, force: true });
});

interface Command {
  /** Where it begins. */
  readonly base: string;
  readonly args: (desk: Desk) => readonly string[];
  /** Loaded before the work is timed. */
  readonly modules: readonly string[];
}

async function newDesk(base: string): Promise<Desk> {
  const folder = await mkdtemp(join(dir, 'desk-'));
  const desk = { data: join(folder, 'data'), media: join(folder, 'media') };
  await mkdir(desk.media);
  await run('cp', ['-a', base, desk.data]);
  return desk;
}

/** Changes with everything that is written. */
async function footprint(desk: Desk): Promise<string> {
  const { stdout } = await run('find', [desk.data, desk.media, '-printf', '%p %s %T@ %C@\n'], { maxBuffer: 1 << 24 });
  return stdout;
}

/** What kills left behind in tmp/ and partial/ goes with the garbage. */
async function expectTidy(data: string): Promise<void> {
  await withStore(data, async (store) => {
    await runGc(store, { now: new Date(Date.now() + 1000), graceMs: 0 });
    for (const area of ['tmp', 'partial']) expect(await readdir(join(data, area)), area).toEqual([]);
  });
}

async function killAtRandom(name: string, command: Command): Promise<void> {
  const killer = new Killer(command.modules);
  try {
    const known = await undisturbed(command, killer);
    const counts = { kills: 0, stirred: 0, shown: 0, late: 0 };
    const isEnough = (): boolean => counts.kills >= (counts.stirred > STIRRED_AT_LEAST ? KILLS : KILLS_AT_MOST);
    while (!isEnough()) {
      const desk = await newDesk(command.base);
      for (let round = 0; round < KILLS_A_ROUND && !isEnough(); round++) {
        const prior = await footprint(desk);
        const { killed } = await killer.run(command.args(desk), draw() * known.workMs * BEYOND);
        if (!killed) counts.late += 1;
        if (!killed) break;
        counts.kills += 1;
        if ((await footprint(desk)) !== prior) counts.stirred += 1;
        if (!(await expectOldOrNew(desk, known))) continue;
        counts.shown += 1;
        break;
      }
      await killer.run(command.args(desk));
      expect(await look(desk)).toEqual(known.after);
      await expectTidy(desk.data);
      await rm(join(desk.data, '..'), { recursive: true });
    }
    console.log(`${name}: ${Math.round(known.workMs)} ms of work, ${JSON.stringify(counts)}`);
    // Each had begun and not ended; so many at least had written something. Of a channel's move most is looking.
    expect(counts.stirred).toBeGreaterThan(STIRRED_AT_LEAST);
  } finally {
    killer.close();
  }
}

/** What there is before and after, and how long the work takes. */
async function undisturbed(command: Command, killer: Killer) {
  const durations: number[] = [];
  let desk = await newDesk(command.base);
  const before = await look(desk);
  for (let count = 0; count < TIMED_RUNS; count++) {
    desk = await newDesk(command.base);
    durations.push((await killer.run(command.args(desk))).workMs);
  }
  await expectWhole(desk.data);
  const workMs = durations.sort((a, b) => a - b)[TIMED_RUNS >> 1] ?? 0;
  return { before, after: await look(desk), workMs };
}

const EVERY_COMMAND = [
  ...['cli/commands.js', 'cli/program.js', 'cli/render/progress.js', 'wiring.js'],
  ...['store/store.js', 'catalog/catalog.js', 'trust/root-folder.js'],
];

test('sync', () =>
  killAtRandom('sync', {
    base: stages.toSync,
    args: ({ data }) => ['mirror', 'sync', '--data', data],
    modules: [
      ...EVERY_COMMAND,
      'net/fetcher.js',
      'sync/apt/family.js',
      'sync/apt/sync-verbatim.js',
      'sync/yum/repository-state.js',
      'sync/yum/sync-verbatim.js',
      'sync/yum/sync-curated.js',
      'publish/yum/publish-yum.js',
      'publish/package-rows.js',
      'trust/key-folder.js',
      'spec/mirror-spec.js',
    ],
  }));

test('bundle export', () =>
  killAtRandom('bundle export', {
    base: stages.toExport,
    args: ({ data, media }) => [
      ...['bundle', 'export', '--channel', 'stable', '--volume-size', '1MB', '--parity', '5%'],
      ...['--to', media, '--data', data],
    ],
    modules: [...EVERY_COMMAND, 'bundle/export.js', 'exec/par2.js', 'trust/key-folder.js'],
  }));

test('bundle import', () =>
  killAtRandom('bundle import', {
    base: stages.toImport,
    args: ({ data }) => ['bundle', 'import', stages.media, '--data', data],
    modules: [...EVERY_COMMAND, 'bundle/import.js', 'bundle/upstream-evidence.js', 'publish/rebuild-catalog.js'],
  }));

test('repo add', () =>
  killAtRandom('repo add', {
    base: stages.toAdd,
    args: ({ data }) => ['repo', 'add', 'own', ...stages.rpms, '--data', data],
    modules: [...EVERY_COMMAND, 'publish/yum/local-repo.js', 'publish/yum/publish-yum.js', 'publish/repositories.js'],
  }));

test('store gc', () =>
  killAtRandom('store gc', {
    base: stages.toCollect,
    args: ({ data }) => ['store', 'gc', '--grace', '0', '--yes', '--data', data],
    modules: [...EVERY_COMMAND, 'store/gc.js'],
  }));

test('channel move', () =>
  killAtRandom('channel move', {
    base: stages.toMove,
    args: ({ data }) => ['channel', 'set', 'stable', '2', '--data', data],
    modules: EVERY_COMMAND,
  }));
