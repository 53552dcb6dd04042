import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { canBeOffline, run } from '../../src/exec/run.ts';

const limits = { timeoutMs: 20_000, maxOutputBytes: 1 << 20 };
const dirs: string[] = [];

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-exec-'));
  dirs.push(dir);
  return dir;
}

afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

/** Waits until a process is gone; the test's own timeout ends it otherwise. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    // A killed child of a killed parent may stay as a zombie until init reaps it: that is gone, too.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '1 (x) Z');
    if (/\) [ZX]/.test(state)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function pidIn(file: string): Promise<number> {
  for (;;) {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test.runIf(canBeOffline())('offline there is a loopback alone, which is down', async () => {
  const { stdout } = await run(['ip', '-brief', 'link'], { ...limits, offline: true });
  expect(stdout.toString().trim().split(/\s+/).slice(0, 2)).toEqual(['lo', 'DOWN']);
});

test('gives status, output and the last words', async () => {
  const answer = await run(['sh', '-c', 'cat; echo told >&2; exit 3'], { ...limits, input: 'in\n', statuses: [0, 3] });
  expect(answer).toMatchObject({ status: 3, stdout: Buffer.from('in\n'), stderr: 'told' });
  expect(answer.durationMs).toBeGreaterThan(0);
});

test('passes arguments as they are: no shell sees them', async () => {
  const args = ['$HOME', '; exit 1', '*', 'a b', "'"];
  const { stdout } = await run(['printf', '%s\n', ...args], limits);
  expect(stdout.toString()).toBe(`${args.join('\n')}\n`);
});

test('gives the tool a small environment, and nothing of ours beside', async () => {
  process.env.KUBEDOS_TEST_SECRET = 'secret';
  const { stdout } = await run(['env'], { ...limits, env: { EXTRA: '1' } });
  delete process.env.KUBEDOS_TEST_SECRET;
  const names = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.sort()).toEqual(['EXTRA', 'HOME', 'LC_ALL', 'PATH', 'TZ']);
});

describe('fails, each in its way', () => {
  test('not installed: the hint names the Debian package', async () => {
    await expect(run(['no-such-tool'], { ...limits, debianPackage: 'the-package' })).rejects.toMatchObject({
      code: 'exec.missing',
      hint: 'apt-get install the-package',
    });
  });

  test('no such working folder is not a missing tool', async () => {
    await expect(run(['true'], { ...limits, cwd: '/no/such/folder' })).rejects.toMatchObject({
      code: 'exec.failed',
      message: expect.stringContaining('/no/such/folder'),
    });
  });

  test('another status: with argv, status and the end of what it said', async () => {
    await expect(
      run(['sh', '-c', 'yes long | head -c 100000 >&2; echo end >&2; exit 7'], limits),
    ).rejects.toMatchObject({
      code: 'exec.failed',
      message: expect.stringMatching(/^run sh: ended with 7: [\s\S]{0,2100}end$/),
      details: { status: 7, argv: expect.arrayContaining(['sh']) },
    });
  });

  test('killed by a signal', async () => {
    await expect(run(['sh', '-c', 'kill -TERM $$'], limits)).rejects.toMatchObject({
      code: 'exec.failed',
      message: expect.stringContaining('SIGTERM'),
    });
  });

  test('too much output', async () => {
    await expect(run(['yes'], { ...limits, maxOutputBytes: 1000 })).rejects.toMatchObject({
      code: 'exec.failed',
      message: expect.stringContaining('more than 1000 bytes'),
    });
  });

  test('past its deadline: it ends, and what it started with it', async () => {
    const file = join(await folder(), 'pid');
    const running = run(['sh', '-c', `sleep 1000 & echo $! > ${file}; wait`], { ...limits, timeoutMs: 300 });
    await expect(running).rejects.toMatchObject({ code: 'exec.timeout' });
    await gone(await pidIn(file));
  });

  test('stopped: it ends, and what it started with it', async () => {
    const file = join(await folder(), 'pid');
    const stop = new AbortController();
    const running = run(['sh', '-c', `sleep 1000 & echo $! > ${file}; wait`], { ...limits, signal: stop.signal });
    const ended = expect(running).rejects.toMatchObject({ code: 'cancelled' });
    const pid = await pidIn(file);
    stop.abort();
    await ended;
    await gone(pid);
    await expect(run(['true'], { ...limits, signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('a tool that does not read its input is judged by its status', async () => {
  expect((await run(['true'], { ...limits, input: Buffer.alloc(1 << 20) })).status).toBe(0);
});

test('what runs when we exit ends with us', async () => {
  const file = join(await folder(), 'pid');
  const program = `
    import { existsSync } from 'node:fs';
    import { run } from ${JSON.stringify(new URL('../../src/exec/run.ts', import.meta.url).href)};
    void run(['sh', '-c', 'echo $$ > ${file}.new && mv ${file}.new ${file}; sleep 1000'], { timeoutMs: 1e6, maxOutputBytes: 1 });
    setInterval(() => existsSync(${JSON.stringify(file)}) && process.exit(0), 5);
  `;
  await run([process.execPath, '--import', 'tsx', '--input-type=module', '-e', program], limits);
  await gone(await pidIn(file));
});
