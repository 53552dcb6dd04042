import type { Digests } from './digests.ts';

/** Where a download goes, over several tries and upstreams. */
export interface Destination {
  /** Bytes taken so far: where the next request may start. */
  readonly position: number;
  /** True where not all bytes came from one answer: a mismatch may then be the fault of the seam. */
  readonly mixed: boolean;
  /** Marks the beginning of another answer. */
  begin(): void;
  /** Forgets what is there. */
  restart(): void;
  write(chunk: Buffer): Promise<void> | undefined;
  /** All is taken: puts it in place and tells the digests. May be written to again after `restart`. */
  digests(): Promise<Digests>;
  /** Removes what is there. */
  discard(): Promise<void>;
  close(): Promise<void>;
}
