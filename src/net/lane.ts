import type { LimitFunction } from 'p-limit';
import { cancelled, onAbort } from './abort.ts';
import type { Answer } from './answer.ts';
import type { Receive } from './exchange.ts';
import { LaneConnection, type LaneJob, type TurnEnd } from './lane-connection.ts';
import type { StallWatch } from './stall.ts';

/** Requests sent ahead on one connection; apt sends up to ten. */
const MAX_DEPTH = 4;
/** Jobs after which a connection lets others have its place in the host's limit. */
const JOBS_A_TURN = 64;
/** A host that cannot be connected to, or answers in another form, is asked in the general way for this long. */
const REST_MS = 60_000;

export interface LaneOptions {
  readonly origin: string;
  /** The host's limit: each connection at work takes one of its places. */
  readonly limit: LimitFunction;
  readonly perHost: number;
  readonly stalls: StallWatch;
}

/**
 * The fast way for small files of one host. It understands only what nearly all servers send, an answer with a
 * Content-Length over HTTP/1.1, and hands everything else over to the general way. That it may be simple is owed to
 * the size and hash, which are checked whichever way the bytes came.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #queue: LaneJob[] = [];
  readonly #idle: LaneConnection[] = [];
  readonly #open = new Set<LaneConnection>();
  #workers = 0;
  #depth = MAX_DEPTH;
  #restsUntilMs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** `undefined`: ask in the general way. Rejects with what `receive` or its sink threw, or `cancelled`. */
  get(wire: string, receive: Receive, signal: AbortSignal | undefined): Promise<Answer | undefined> {
    if (performance.now() < this.#restsUntilMs) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        if (job.settled) return;
        job.settled = true;
        unhook();
        finish();
      };
      const job: LaneJob = {
        wire,
        receive,
        settled: false,
        resent: false,
        done: (answer) => settle(() => resolve(answer)),
        fail: (error) => settle(() => reject(error)),
        elsewhere: () => settle(() => resolve(undefined)),
      };
      const unhook = onAbort(signal, () => job.fail(cancelled()));
      if (signal?.aborted) job.fail(cancelled());
      else this.#queue.push(job);
      this.#start();
    });
  }

  close(): void {
    for (const connection of this.#open) connection.close('lost');
    for (const job of this.#queue.splice(0)) job.elsewhere();
  }

  #start(): void {
    if (this.#queue.length === 0 || this.#workers >= this.#options.perHost) return;
    this.#workers++;
    void this.#options
      .limit(() => this.#work())
      .finally(() => {
        this.#workers--;
        this.#start();
      });
  }

  async #work(): Promise<void> {
    if (this.#queue.length === 0) return;
    const connection = this.#idleOne() ?? (await this.#connect());
    if (connection === undefined) return;
    let left = JOBS_A_TURN;
    const how = await new Promise<TurnEnd>((end) => {
      connection.run({
        take: (underWay) => {
          if (underWay >= this.#depthNow() || left === 0) return undefined;
          left--;
          return this.#next();
        },
        giveBack: (job) => {
          if (job.resent) job.elsewhere();
          else this.#queue.unshift(Object.assign(job, { resent: true }));
        },
        end,
      });
    });
    if (how === 'whole') this.#idle.push(connection);
    else this.#open.delete(connection);
    if (how === 'strange') this.#rest();
    // It closes after each answer, or takes no requests ahead: one at a time, then.
    if (how !== 'whole' && JOBS_A_TURN - left <= 2 * MAX_DEPTH) this.#depth = 1;
  }

  #idleOne(): LaneConnection | undefined {
    for (let one = this.#idle.pop(); one !== undefined; one = this.#idle.pop()) {
      if (!one.closed) return one;
      this.#open.delete(one);
    }
    return undefined;
  }

  async #connect(): Promise<LaneConnection | undefined> {
    const { origin, stalls } = this.#options;
    try {
      const connection = await LaneConnection.open(origin, stalls);
      this.#open.add(connection);
      return connection;
    } catch {
      this.#rest();
      return undefined;
    }
  }

  #rest(): void {
    this.#restsUntilMs = performance.now() + REST_MS;
    for (const job of this.#queue.splice(0)) job.elsewhere();
  }

  /** With few files waiting, each goes on a connection of its own; only more than that go ahead of one another. */
  #depthNow(): number {
    return Math.min(this.#depth, Math.max(1, Math.ceil(this.#queue.length / this.#options.perHost)));
  }

  #next(): LaneJob | undefined {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      if (!job.settled) return job;
    }
    return undefined;
  }
}
