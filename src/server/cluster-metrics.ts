/** `/metrics` of several processes: whichever is asked, the answer is the sum over all. */
import cluster from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

interface Question {
  readonly kubedosMetrics: number;
  readonly text?: string;
}

function isQuestion(value: unknown): value is Question {
  return typeof value === 'object' && value !== null && 'kubedosMetrics' in value;
}

/** In the primary: gathers the figures of all workers whenever one of them asks. */
export function answerMetricsOfWorkers(): void {
  const all = new AggregatorRegistry();
  cluster.on('message', (worker, message: unknown) => {
    if (!isQuestion(message)) return;
    const { kubedosMetrics } = message;
    all
      .clusterMetrics()
      .then((text) => worker.send({ kubedosMetrics, text } satisfies Question, () => undefined))
      // The worker falls back to its own figures when no answer comes.
      .catch(() => undefined);
  });
}

const PATIENCE_MS = 6000;
let questions = 0;

/** In a worker: the figures of all workers, or its own where the primary does not answer. Elsewhere: its own. */
export async function metricsText(own: Registry): Promise<string> {
  if (!cluster.isWorker) return own.metrics();
  return (await askPrimary()) ?? own.metrics();
}

/** Makes a worker ready to be asked for its figures. */
export function offerMetrics(own: Registry): void {
  if (!cluster.isWorker) return;
  AggregatorRegistry.setRegistries(own as Parameters<typeof AggregatorRegistry.setRegistries>[0]);
  new AggregatorRegistry();
}

function askPrimary(): Promise<string | undefined> {
  const kubedosMetrics = questions++;
  return new Promise((resolve) => {
    const done = (text: string | undefined): void => {
      clearTimeout(timer);
      process.off('message', listen);
      resolve(text);
    };
    const listen = (message: unknown): void => {
      if (isQuestion(message) && message.kubedosMetrics === kubedosMetrics) done(message.text);
    };
    const timer = setTimeout(() => done(undefined), PATIENCE_MS);
    process.on('message', listen);
    process.send?.({ kubedosMetrics } satisfies Question);
  });
}
