import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AccessRecord } from './deps.ts';

/** Seconds; a large file over a slow line takes minutes. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600];

/** What a request was for, as a label: few values, and none that a client can make up. */
export function areaOf(path: string): string {
  const first = path.split('/', 2)[1] ?? '';
  return ['c', 's', 'api', 'web', 'healthz', 'readyz', 'metrics'].includes(first) ? first : 'page';
}

/** Figures for Prometheus, in a registry of its own: two servers in one process do not mix. */
export class Metrics {
  readonly registry = new Registry();
  /** Counted up in memory and moved into prom-client when somebody asks: its labels cost more than a small answer. */
  readonly #counts = new Map<
    string,
    { readonly area: string; readonly status: string; requests: number; bytes: number }
  >();
  readonly #seconds: Histogram<'area'>;
  #inFlight = 0;

  constructor(facts: { readonly cachedBytes: () => number }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const labelNames = ['area', 'status'] as const;
    const counts = this.#counts;
    new Counter({
      name: 'kubedos_http_requests_total',
      help: 'Requests answered, by area of the URL and class of status',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { area, status, requests } of counts.values()) this.inc({ area, status }, requests);
      },
    });
    new Counter({
      name: 'kubedos_http_response_bytes_total',
      help: 'Bytes sent in answer to them',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { area, status, bytes } of counts.values()) this.inc({ area, status }, bytes);
      },
    });
    const inFlight = (): number => this.#inFlight;
    new Gauge({
      name: 'kubedos_http_requests_in_flight',
      help: 'Requests being answered',
      registers,
      collect() {
        this.set(inFlight());
      },
    });
    new Gauge({
      name: 'kubedos_object_cache_bytes',
      help: 'Memory that small objects take',
      registers,
      collect() {
        this.set(facts.cachedBytes());
      },
    });
    this.#seconds = new Histogram({
      name: 'kubedos_http_request_duration_seconds',
      help: 'From the head of the request to the end of the answer',
      labelNames: ['area'],
      buckets: BUCKETS,
      registers,
    });
  }

  begin(): void {
    this.#inFlight++;
  }

  end(record: Pick<AccessRecord, 'path' | 'status' | 'bytes' | 'durationMs'>): void {
    this.#inFlight--;
    const area = areaOf(record.path);
    const status = `${Math.floor(record.status / 100)}xx`;
    const key = `${area} ${status}`;
    const count = this.#counts.get(key) ?? { area, status, requests: 0, bytes: 0 };
    count.requests++;
    count.bytes += record.bytes;
    this.#counts.set(key, count);
    this.#seconds.observe({ area }, record.durationMs / 1000);
  }
}
