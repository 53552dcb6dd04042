import type { OnEvent } from '../progress.ts';

/** So many bytes pass between two events within a file. */
const STEP_BYTES = 1024 * 1024;

/** Announces a phase with its totals and tells how far it is. */
export class Meter {
  readonly #onEvent: OnEvent | undefined;
  #files = 0;
  #bytes = 0;
  #told = 0;

  constructor(
    onEvent: OnEvent | undefined,
    phase: string,
    totals: { readonly files?: number; readonly bytes?: number } = {},
  ) {
    this.#onEvent = onEvent;
    onEvent?.({ type: 'phase', phase, ...totals });
  }

  /** For Fetcher's `onBytes`; bound. */
  readonly onBytes = (count: number): void => {
    this.#bytes += count;
    if (this.#bytes - this.#told >= STEP_BYTES) this.#tell();
  };

  file(): void {
    this.#files += 1;
    this.#tell();
  }

  #tell(): void {
    this.#told = this.#bytes;
    this.#onEvent?.({ type: 'advance', files: this.#files, bytes: this.#bytes });
  }
}
