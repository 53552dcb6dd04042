/** Runs a bounded number of tasks at once while a single reader goes on; the first failure comes out at the next call. */
export class WorkPool {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns when there is room for the next one. */
  async add(task: () => Promise<void>): Promise<void> {
    this.#check();
    const run = task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
    if (this.#running.size >= this.#limit) await Promise.race(this.#running);
  }

  async drain(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
