/** The command line from the checkout, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';

export interface CliRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed, of either stream. */
  readonly json: unknown;
}

const MAIN = [process.execPath, '--import', 'tsx', join(INSTALLATION, 'src/cli/main.ts')];

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
    const { status, stdout, stderr } = await run([...MAIN, ...args], {
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
    const [command = '', ...rest] = [...MAIN, 'serve', '--port', '0', ...args];
    const child = spawn(command, rest, {
      cwd: INSTALLATION,
      env: { PATH: process.env.PATH, KUBEDOS_DATA: this.path('data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#servers.push(child);
    const served = new Served(child);
    await served.listening();
    return served;
  }

  remove(): void {
    for (const child of this.#servers) child.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Served {
  readonly process: ChildProcess;
  out = '';
  err = '';

  constructor(process: ChildProcess) {
    this.process = process;
    process.stdout?.setEncoding('utf8').on('data', (text) => {
      this.out += text;
    });
    process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.err += text;
    });
  }

  get url(): string {
    return / on (https?:\S+) \(stop/.exec(this.out)?.[1] ?? '';
  }

  async listening(): Promise<void> {
    while (this.url === '') {
      if (this.process.exitCode !== null) throw new Error(`serve ended with ${this.process.exitCode}: ${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Its exit status. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.process.once('close', resolve));
    this.process.kill(signal);
    return ended;
  }
}

function parsed(out: string, err: string): unknown {
  return JSON.parse(out === '' ? (err.split('\n').findLast((line) => line.startsWith('{"error"')) ?? 'null') : out);
}
