import cluster, { type Worker } from 'node:cluster';
import { type ErrorCode, KubedosError } from '../errors.ts';
import { answerMetricsOfWorkers } from './cluster-metrics.ts';
import type { ServerDeps } from './deps.ts';

export interface WorkersOptions {
  /** How many processes; beyond the number of cores they take from each other. */
  readonly count: number;
  /** The program that each runs; it opens the store for itself, calls `listen`, and then `workerReady`. */
  readonly exec: string;
  readonly args: readonly string[];
  /** Options of node itself; default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
  /** Whole lines of the access log, of all processes: what several write to one pipe themselves gets mixed up. */
  readonly onLines?: ((text: string) => void) | undefined;
  readonly log: ServerDeps['log'];
}

export interface Workers {
  readonly url: string;
  /** Tells all to finish what they send, and waits for them. True if all ended with status 0. */
  close(): Promise<boolean>;
}

/** A worker that ends sooner than this after its start is not replaced at once. */
const HEALTHY_MS = 5000;
const RESTART_PAUSE_MS = 1000;
/** A worker that has not ended so long after it was told to is killed; its own deadline is shorter. */
const STOP_MS = 60_000;

/**
 * Several processes behind one port, for machines with several cores. They share nothing but the port and the disk: a
 * store has any number of readers. node:cluster starts processes by itself, of this same program only; what exec/
 * keeps to itself is starting other programs.
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { count, exec, args, execArgv, log, onLines } = options;
  cluster.setupPrimary({ exec, args: [...args], ...(execArgv && { execArgv: [...execArgv] }) });
  answerMetricsOfWorkers();
  let phase: 'starting' | 'serving' | 'stopping' = 'starting';
  const startedAt = new Map<number, number>();
  const fork = (): Worker => {
    const worker = cluster.fork();
    startedAt.set(worker.id, performance.now());
    worker.on('message', (message: unknown) => {
      if (!isMessage(message)) return;
      if (message.kubedos === 'lines') onLines?.(message.text);
      // One that was started just before had not yet an ear for the word to stop.
      if (message.kubedos === 'ready' && phase === 'stopping') tellToStop(worker);
      if (message.kubedos === 'failed' && phase === 'serving') log({ level: 'error', message: message.message });
    });
    worker.once('exit', (code, signal) => {
      const lived = performance.now() - (startedAt.get(worker.id) ?? 0);
      startedAt.delete(worker.id);
      // The first ones are not replaced: why one did not start is the answer of this call.
      if (phase !== 'serving') return;
      log({
        level: 'error',
        message: `server process ${worker.process.pid} ended (${signal ?? code}); starting another`,
      });
      setTimeout(() => phase === 'stopping' || fork(), lived < HEALTHY_MS ? RESTART_PAUSE_MS : 0);
    });
    return worker;
  };
  const first = Array.from({ length: count }, fork);
  try {
    const urls = await Promise.all(first.map(ready));
    phase = 'serving';
    return { url: urls[0] ?? '', close };
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<boolean> {
    phase = 'stopping';
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    return (await Promise.all(workers.map(end))).every(Boolean);
  }
}

type Message =
  | { readonly kubedos: 'ready'; readonly url: string }
  | {
      readonly kubedos: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint?: string | undefined;
    }
  | { readonly kubedos: 'lines'; readonly text: string }
  | { readonly kubedos: 'stop' };

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'kubedos' in value;
}

function ready(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      if (!isMessage(message)) return;
      if (message.kubedos === 'ready') resolve(message.url);
      if (message.kubedos === 'failed') reject(new KubedosError(message.code, message.message, { hint: message.hint }));
    });
    worker.once('exit', (code) =>
      reject(
        new KubedosError('internal.bug', `start server processes: one ended with status ${code} before it listened`),
      ),
    );
  });
}

async function end(worker: Worker): Promise<boolean> {
  const killing = setTimeout(() => worker.process.kill('SIGKILL'), STOP_MS);
  const exit = worker.isDead() || new Promise((resolve) => worker.once('exit', resolve));
  // Its last lines come before the end of its channel, which may be later than its own.
  const silence = !worker.isConnected() || new Promise((resolve) => worker.once('disconnect', resolve));
  tellToStop(worker);
  await Promise.all([exit, silence]);
  clearTimeout(killing);
  return worker.process.exitCode === 0;
}

function tellToStop(worker: Worker): void {
  if (worker.isConnected()) worker.send({ kubedos: 'stop' } satisfies Message, () => undefined);
}

export function isWorker(): boolean {
  return cluster.isWorker;
}

/** Called in a worker once it listens: tells the primary, and resolves when the primary says stop. */
export function workerReady(url: string): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: unknown) => {
      if (isMessage(message) && message.kubedos === 'stop') resolve();
    });
    tellPrimary({ kubedos: 'ready', url });
  });
}

/** Called in a worker that cannot listen, instead of `workerReady`: the primary says why. */
export function workerFailed({ code, message, hint }: KubedosError): void {
  tellPrimary({ kubedos: 'failed', code, message, hint });
}

export function sendLines(text: string): void {
  tellPrimary({ kubedos: 'lines', text });
}

/** Called in a worker that has closed its server: from here on it ends when all that it said has left. */
export function workerDone(): void {
  process.channel?.unref();
}

function tellPrimary(message: Message): void {
  process.send?.(message);
}
