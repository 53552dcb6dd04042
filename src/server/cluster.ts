import cluster, { type Worker } from 'node:cluster';
import { KubedosError } from '../errors.ts';
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
  readonly log: ServerDeps['log'];
}

export interface Workers {
  readonly url: string;
  /** Tells all to finish what they send, and waits for them. */
  close(): Promise<void>;
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
export async function startWorkers({ count, exec, args, execArgv, log }: WorkersOptions): Promise<Workers> {
  cluster.setupPrimary({ exec, args: [...args], ...(execArgv && { execArgv: [...execArgv] }) });
  answerMetricsOfWorkers();
  let stopping = false;
  const startedAt = new Map<number, number>();
  const fork = (): Worker => {
    const worker = cluster.fork();
    startedAt.set(worker.id, performance.now());
    // One that was started just before had not yet an ear for the word to stop.
    worker.on('message', (message: unknown) => {
      if (stopping && isMessage(message) && message.kubedos === 'ready') tellToStop(worker);
    });
    worker.once('exit', (code, signal) => {
      const lived = performance.now() - (startedAt.get(worker.id) ?? 0);
      startedAt.delete(worker.id);
      if (stopping) return;
      log({
        level: 'error',
        message: `server process ${worker.process.pid} ended (${signal ?? code}); starting another`,
      });
      setTimeout(() => stopping || fork(), lived < HEALTHY_MS ? RESTART_PAUSE_MS : 0);
    });
    return worker;
  };
  const first = Array.from({ length: count }, fork);
  try {
    const urls = await Promise.all(first.map(ready));
    return { url: urls[0] ?? '', close };
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    stopping = true;
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(workers.map(end));
  }
}

interface Message {
  readonly kubedos: 'ready' | 'stop';
  readonly url?: string;
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'kubedos' in value;
}

function ready(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      if (isMessage(message) && message.kubedos === 'ready') resolve(message.url ?? '');
    });
    worker.once('exit', (code) =>
      reject(
        new KubedosError('internal.bug', `start server processes: one ended with status ${code} before it listened`),
      ),
    );
  });
}

function end(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) {
      resolve();
      return;
    }
    const killing = setTimeout(() => worker.process.kill('SIGKILL'), STOP_MS);
    worker.once('exit', () => {
      clearTimeout(killing);
      resolve();
    });
    tellToStop(worker);
  });
}

function tellToStop(worker: Worker): void {
  worker.send({ kubedos: 'stop' } satisfies Message, () => undefined);
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
    process.send?.({ kubedos: 'ready', url } satisfies Message);
  });
}
