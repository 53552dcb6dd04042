/** A server as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ServedOptions {
  readonly cwd?: string;
  /** Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export class Served {
  readonly process: ChildProcess;
  out = '';
  err = '';
  readonly #url: string | undefined;

  /** `url`: of one that does not say where it listens. */
  constructor(process: ChildProcess, url?: string) {
    this.process = process;
    this.#url = url;
    process.stdout?.setEncoding('utf8').on('data', (text) => {
      this.out += text;
    });
    process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.err += text;
    });
  }

  /** `kubedos serve` by its command line, once it says where it listens; `onStart` is told the process before that. */
  static async start(
    argv: readonly string[],
    options: ServedOptions = {},
    onStart: (child: ChildProcess) => void = () => {},
  ): Promise<Served> {
    const [command = '', ...args] = argv;
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    onStart(child);
    const served = new Served(child);
    while (served.url === '') {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${served.err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return served;
  }

  get url(): string {
    return this.#url ?? / on (https?:\S+) \(stop/.exec(this.out)?.[1] ?? '';
  }

  /** Its exit status. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null) return this.process.exitCode;
    const ended = new Promise<number | null>((resolve) => this.process.once('close', resolve));
    this.process.kill(signal);
    return ended;
  }
}
