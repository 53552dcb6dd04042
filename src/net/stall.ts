/** A transfer under watch. */
export interface Watched {
  /** Bytes so far; grows. */
  bytes: number;
  /** True while we ourselves do not read (rate limit, slow disk): that is not the upstream's fault. */
  paused: boolean;
  fail(): void;
}

export interface StallOptions {
  readonly stallMs: number;
  readonly minBytesPerSecond: number;
}

/** Looks at all transfers of a fetcher by one timer, and fails those that moved too little over `stallMs`. */
export class StallWatch {
  readonly #options: StallOptions;
  readonly #windows = new Map<Watched, { since: number; bytes: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StallOptions) {
    this.#options = options;
  }

  /** The returned function ends the watch. */
  watch(transfer: Watched): () => void {
    this.#windows.set(transfer, { since: performance.now(), bytes: transfer.bytes });
    this.#timer ??= setInterval(() => this.#look(), Math.max(10, this.#options.stallMs / 4));
    return () => {
      this.#windows.delete(transfer);
      if (this.#windows.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  #look(): void {
    const now = performance.now();
    const { stallMs, minBytesPerSecond } = this.#options;
    for (const [transfer, window] of [...this.#windows]) {
      if (transfer.paused) Object.assign(window, { since: now, bytes: transfer.bytes });
      if (now - window.since < stallMs) continue;
      if (transfer.bytes - window.bytes < (minBytesPerSecond * stallMs) / 1000) transfer.fail();
      else Object.assign(window, { since: now, bytes: transfer.bytes });
    }
  }
}
