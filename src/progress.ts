/**
 * What long work tells about itself. Use cases emit these; the edges render them
 * (a bar on a terminal, lines in a log, one JSON object a line with --json).
 */
export type ProgressEvent =
  /** A new phase begins: totals are known when given, and replace those of the phase before. */
  | { readonly type: 'phase'; readonly phase: string; readonly files?: number; readonly bytes?: number }
  /** Absolute figures within the phase. */
  | { readonly type: 'advance'; readonly files: number; readonly bytes: number }
  /** Something worth a line: a retry, a skipped optional file, a fallback. */
  | { readonly type: 'note'; readonly level: 'info' | 'warn'; readonly message: string };

export type OnEvent = (event: ProgressEvent) => void;

/** What each long-running use case takes beside its input. */
export interface Run {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}
