/** Runs the commands of the tutorials, in their order, and holds what they print against what the pages show. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { INSTALLATION } from '../../src/wiring.ts';
import { Bakery } from '../support/bakery.ts';
import { KUBEDOS } from '../support/command-line.ts';
import { connectedStore, MINUTE, tool } from '../support/real-debian.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

interface Step {
  readonly dark: boolean;
  readonly commands: string;
  /** Undefined: the page shows none. */
  readonly output: string | undefined;
}

/** The sh blocks of a page, each with the text block right after it; the heading above tells the host. */
function stepsOf(page: string): Step[] {
  return page.split(/^## /m).flatMap((section) => {
    const dark = /dark host/.test(section.split('\n', 1)[0] ?? '');
    return [...section.matchAll(/^```sh\n([\s\S]*?)^```\n(?:```text\n([\s\S]*?)^```\n)?/gm)].map(
      ([, commands = '', output]) => ({ dark, commands, output }),
    );
  });
}

/** A shell that stays: what one block exports or starts is there for the next. It ends at the first failure. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #dir: string;
  readonly #closed: Promise<void>;
  #blocks = 0;

  constructor(argv: readonly string[], dir: string, env: NodeJS.ProcessEnv) {
    const [command = '', ...args] = argv;
    this.#dir = dir;
    this.#child = spawn(command, args, { cwd: join(dir, 'work'), env });
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdin.write(`set -e; trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n`);
  }

  /** What the commands print on standard output. */
  async run(commands: string): Promise<string> {
    const file = join(this.#dir, `${this.#child.pid}-${++this.#blocks}`);
    await writeFile(file, commands);
    const done = new Promise((resolve) => this.#child.stdout.once('data', resolve));
    this.#child.stdin.write(`. ${file} >${file}.out 2>${file}.err </dev/null; echo done\n`);
    await Promise.race([done, this.#closed]);
    const output = await readFile(`${file}.out`, 'utf8');
    if (this.#child.exitCode === null) return output;
    throw new Error(`${commands}${output}${await readFile(`${file}.err`, 'utf8')}`);
  }

  /** With all that it started, whatever it waits for. */
  async end(): Promise<void> {
    this.#child.kill();
    await this.#closed;
  }
}

/** These are other ones each time; every other `<…>` is the same wherever the page names it. */
const VARYING = ['number', 'size', 'version', 'time', 'speed'];

/** The values of `<…>` as the output shows them, beside those that are known. */
function learn(expected: string, output: string, known: ReadonlyMap<string, string>): Map<string, string> {
  const names: string[] = [];
  const parts = expected.split(/<([^>]+)>/).map((part, i) => {
    if (i % 2 === 0) return literal(part);
    const value = known.get(part);
    if (value !== undefined) return literal(value);
    if (VARYING.includes(part)) return '[^\\n]+?';
    if (names.includes(part)) return `\\${names.indexOf(part) + 1}`;
    names.push(part);
    return '([^\\n]+?)';
  });
  const pattern = new RegExp(`^${parts.join('')}$`);
  expect(output).toMatch(pattern);
  const values = pattern.exec(output)?.slice(1) ?? [];
  return new Map([...known, ...names.map((name, i) => [name, values[i] ?? ''] as const)]);
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

async function sizeBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

// It fetches 18 MB from the archive that this machine's apt uses.
vi.setConfig({ testTimeout: 600_000 });

test('the tutorial does what it says', async () => {
  const { values, dir } = await follow('docs/tutorial.md');
  const [first = 0, second = 0] = await Promise.all(
    ['bundle', 'second bundle'].map((name) => sizeBelow(join(dir, 'work/usb', `${values.get(name)}-v001`))),
  );
  expect(first).toBeGreaterThan(2_000_000);
  expect(second).toBeLessThan(first / 3);
});

test('that of rpm packages does, too', async () => {
  const { dir } = await follow('docs/tutorial-rpm.md');
  expect(await readFile(join(dir, 'work/dnf/repos/hello.repo'), 'utf8')).toMatch(/gpgcheck=1\nrepo_gpgcheck=1\n/);
});

// A bundle is all that is made of the store, which other tests share.
test('and so does that of a machine, which boots', { timeout: 20 * MINUTE }, async () => {
  const KUBEDOS_DATA = await connectedStore();
  // At length it builds from nothing both times; else the second time alone, where the page says so.
  const warm = (dir: string) => new Bakery(dir, join(dir, 'work/dark')).warm();
  const { values, dir } = await follow('docs/tutorial-image.md', {
    env: { KUBEDOS_DATA },
    beforeBake: process.env.KUBEDOS_TEST_FULL ? undefined : warm,
  });
  // The machine wrote to a disk of its own.
  expect(await tool('sha256sum', join(dir, 'work/web.qcow2'))).toMatch(`${values.get('image')} `);
});

interface Following {
  /** Of the connected host. */
  readonly env?: NodeJS.ProcessEnv;
  /** Once, before the first `kubedos bake`. */
  readonly beforeBake?: ((dir: string) => Promise<void>) | undefined;
}

/** Runs a page; what its `<…>` stood for, and the folder whose `work` it ran in. */
async function follow(file: string, { env: given = {}, beforeBake }: Following = {}) {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'work'));
  await mkdir(join(dir, 'bin'));
  const shim = `#!/bin/sh\nexec '${KUBEDOS.join("' '")}' "$@"\n`;
  await writeFile(join(dir, 'bin/kubedos'), shim);
  await chmod(join(dir, 'bin/kubedos'), 0o755);
  const env = { ...process.env, HOME: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}`, LC_ALL: 'C.UTF-8' };
  const connected = new Shell(['bash'], dir, { ...env, ...given });
  const page = await readFile(join(INSTALLATION, file), 'utf8');
  // As the page says it, word for word.
  const [, unshare = '', loopback = ''] = /`(unshare [^`]+)`, then `([^`]+)`/.exec(page) ?? [];
  const dark = new Shell([...unshare.split(' '), 'bash'], dir, env);
  onTestFinished(async () => {
    await connected.end();
    await dark.end();
  });
  expect(await dark.run(`${loopback}\nip route show\n`)).toBe('');

  let values: ReadonlyMap<string, string> = new Map();
  const steps = stepsOf(page);
  expect(steps.filter((step) => step.dark).length).toBeGreaterThan(2);
  let isPrepared = false;
  for (const { dark: behind, commands, output } of steps) {
    if (!isPrepared && /^kubedos bake /m.test(commands)) {
      isPrepared = true;
      await beforeBake?.(dir);
    }
    const filled = commands.replace(/<([^>]+)>/g, (text, name: string) => values.get(name) ?? text);
    const printed = await (behind ? dark : connected).run(filled);
    values = learn(output ?? '', printed, values);
  }
  return { values, dir };
}
