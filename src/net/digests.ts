import { createHash, type Hash } from 'node:crypto';
import type { WantedFile } from './types.ts';

export interface Digests {
  readonly sha256: string;
  /** In the algorithm that signed metadata gave. */
  readonly wanted: string;
}

/** SHA-256, and what metadata gave where that is another, over bytes as they come. */
export class RunningDigests {
  readonly #sha256: Hash = createHash('sha256');
  readonly #other: Hash | undefined;

  constructor(algorithm: WantedFile['digest']['algorithm']) {
    this.#other = algorithm === 'sha256' ? undefined : createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#other?.update(chunk);
  }

  /** Of what has come so far; more may come. */
  soFar(): Digests {
    const sha256 = this.#sha256.copy().digest('hex');
    return { sha256, wanted: this.#other?.copy().digest('hex') ?? sha256 };
  }
}
