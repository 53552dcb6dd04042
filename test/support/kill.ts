/** Real `kubedos` processes that are killed by SIGKILL while they work. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DIST } from './command-line.ts';

export interface Outcome {
  /** False: it ended by itself before the signal came. */
  readonly killed: boolean;
  /** From the beginning of its work to its end, or to the signal. */
  readonly workMs: number;
}

interface Loaded {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
}

/** Runs command lines, the next process being loaded while the last one is judged. */
export class Killer {
  readonly #argv: readonly string[];
  #next: Loaded;

  /** `modules` of dist/ are loaded before the work begins. */
  constructor(modules: readonly string[]) {
    this.#argv = [join(import.meta.dirname, 'killable.mjs'), DIST, ...modules];
    this.#next = this.#start();
  }

  #start(): Loaded {
    const child = spawn(process.execPath, this.#argv, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    return { child, ready: once(child, 'message') };
  }

  /** Kills it so many ms after its work began, or never. A command that fails by itself throws. */
  async run(args: readonly string[], killAfterMs = Number.POSITIVE_INFINITY): Promise<Outcome> {
    const { child, ready } = this.#next;
    const words: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => words.push(text));
    await ready;
    child.send(args);
    await once(child, 'message');
    const begun = performance.now();
    const timer = killAfterMs < 2 ** 31 ? setTimeout(() => child.kill('SIGKILL'), killAfterMs) : undefined;
    const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    const workMs = performance.now() - begun;
    clearTimeout(timer);
    this.#next = this.#start();
    if (signal === 'SIGKILL') return { killed: true, workMs };
    if (status === 0) return { killed: false, workMs };
    throw new Error(`kubedos ${args.join(' ')} ended with ${status ?? signal}: ${words.join('')}`);
  }

  close(): void {
    this.#next.child.kill('SIGKILL');
  }
}
