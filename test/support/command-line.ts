/** The command line as the package ships it, as a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { Served } from './served.ts';

export interface CliRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed, of either stream. */
  readonly json: unknown;
}

/** Built before the tests begin: see built.mjs. */
export const DIST = join(INSTALLATION, 'dist');
/** The first words of every command line. */
export const KUBEDOS = [process.execPath, join(DIST, 'cli/main.js')];

export class CommandLine {
  /** A folder of the test; `remove` takes it away. */
  readonly dir: string;
  readonly #servers: ChildProcess[] = [];

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'kubedos-cli-'));
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  /** On the data folder `data` unless `env` names another. */
  async kubedos(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
    const { status, stdout, stderr } = await run([...KUBEDOS, ...args], {
      cwd: INSTALLATION,
      env: { KUBEDOS_DATA: this.path('data'), ...env },
      timeoutMs: 60_000,
      maxOutputBytes: 1 << 20,
      statuses: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130],
    });
    const out = stdout.toString();
    return { status, out, err: stderr, json: args.includes('--json') ? parsed(out, stderr) : undefined };
  }

  /** The same, where anything but success fails the test. */
  async must(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
    const done = await this.kubedos(args, env);
    if (done.status !== 0) throw new Error(`kubedos ${args.join(' ')}: ${done.status}\n${done.out}${done.err}`);
    return done;
  }

  /** `kubedos serve` on a free port, once it says where it listens. */
  async serve(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> {
    const options = { cwd: INSTALLATION, env: { PATH: process.env.PATH, KUBEDOS_DATA: this.path('data'), ...env } };
    return Served.start([...KUBEDOS, 'serve', '--port', '0', ...args], options, (child) => this.#servers.push(child));
  }

  remove(): void {
    for (const child of this.#servers) child.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function parsed(out: string, err: string): unknown {
  return JSON.parse(out === '' ? (err.split('\n').findLast((line) => line.startsWith('{"error"')) ?? 'null') : out);
}
