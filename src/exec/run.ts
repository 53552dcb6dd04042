/** The only place that starts a process. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { errnoOf, KubedosError } from '../errors.ts';

export interface RunOptions {
  readonly input?: Uint8Array | string | undefined;
  /** Added to the minimal environment: PATH, HOME, LC_ALL=C.UTF-8, TZ=UTC. Nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** The whole process group is killed then. */
  readonly timeoutMs: number;
  /** Of standard output; more is `exec.failed`. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Exit statuses that are answers and not failures; default 0 alone. */
  readonly statuses?: readonly number[] | undefined;
  /** In a network namespace of its own, where nothing is up: `canBeOffline`. */
  readonly offline?: boolean | undefined;
  /** For the hint where the tool is missing. */
  readonly debianPackage?: string | undefined;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: Buffer;
  /** Its last part, if there was much. */
  readonly stderr: string;
  readonly durationMs: number;
}

/** What a tool says, for those that read its words. */
export interface ToolAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `run`, its output as text. */
export async function runForText(argv: readonly string[], options: RunOptions): Promise<ToolAnswer> {
  const { status, stdout, stderr } = await run(argv, options);
  return { status, stdout: stdout.toString('utf8'), stderr };
}

const CAP_SYS_ADMIN = 21n;

/** Whether this process may make network namespaces (capabilities(7)). */
export function canBeOffline(): boolean {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

const STDERR_TAIL_BYTES = 16 * 1024;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Process groups under way: a tool does not outlive us, unless we are killed by -9. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) killGroup(pid);
});

type Ending = 'timeout' | 'cancelled' | 'output';

/** Runs argv to its end; no shell is involved. `exec.missing`, `exec.timeout`, `exec.failed` or `cancelled` otherwise. */
export function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [command = ''] = argv;
  const [program = '', ...args] = options.offline && canBeOffline() ? ['unshare', '--net', '--', ...argv] : argv;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new KubedosError('cancelled', `run ${command}: stopped`));
      return;
    }
    // A group of its own, so that what the tool starts ends with it.
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = Buffer.alloc(0);
    let ending: Ending | undefined;
    const end = (why: Ending): void => {
      ending ??= why;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    if (child.pid !== undefined) running.add(child.pid);
    const timer = setTimeout(() => end('timeout'), options.timeoutMs);
    const onAbort = (): void => end('cancelled');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > options.maxOutputBytes) end('output');
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_TAIL_BYTES);
    });
    // A tool that does not read its input closes it: what it says by its status counts.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    child.on('error', (cause) => {
      settle();
      reject(startError(command, cause, options));
    });
    child.on('close', (code, signalName) => {
      settle();
      const durationMs = performance.now() - started;
      const facts = { argv, status: code, signal: signalName, durationMs: Math.round(durationMs) };
      const words = stderr.toString('utf8').trim();
      if (ending !== undefined || code === null || !(options.statuses ?? [0]).includes(code)) {
        reject(endError(command, ending, { ...facts, limits: options, words }));
        return;
      }
      resolve({ status: code, stdout: Buffer.concat(stdout), stderr: words, durationMs });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function environment(added: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const home = process.env.HOME;
  return {
    PATH: process.env.PATH ?? DEFAULT_PATH,
    ...(home === undefined ? {} : { HOME: home }),
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    ...added,
  };
}

function startError(command: string, cause: Error, { cwd, debianPackage }: RunOptions): KubedosError {
  // The kernel says ENOENT of a missing working folder, too.
  if (errnoOf(cause) !== 'ENOENT' || (cwd !== undefined && !existsSync(cwd))) {
    const where = cwd === undefined ? '' : ` in ${cwd}`;
    return new KubedosError('exec.failed', `run ${command}${where}: ${cause.message}`, { cause });
  }
  return new KubedosError('exec.missing', `run ${command}: it is not installed`, {
    hint: `apt-get install ${debianPackage ?? command}`,
    cause,
  });
}

interface End {
  readonly argv: readonly string[];
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
  readonly limits: Pick<RunOptions, 'timeoutMs' | 'maxOutputBytes'>;
  readonly words: string;
}

function endError(command: string, ending: Ending | undefined, { limits, words, ...details }: End): KubedosError {
  const tail = words === '' ? '' : `: ${words.slice(-2000)}`;
  switch (ending) {
    case 'cancelled':
      return new KubedosError('cancelled', `run ${command}: stopped`, { details });
    case 'timeout':
      return new KubedosError('exec.timeout', `run ${command}: not done after ${limits.timeoutMs / 1000} s${tail}`, {
        details,
      });
    case 'output':
      return new KubedosError('exec.failed', `run ${command}: printed more than ${limits.maxOutputBytes} bytes`, {
        details,
      });
    default:
      return new KubedosError('exec.failed', `run ${command}: ended with ${details.status ?? details.signal}${tail}`, {
        details,
      });
  }
}
