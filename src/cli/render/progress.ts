/** Progress events as a bar on a terminal, as lines in a log, or as JSON lines. */
import type { OnEvent, ProgressEvent } from '../../progress.ts';
import { formatBytes, formatDuration, formatNumber } from './units.ts';

/** A terminal is redrawn at most this often; a log gets a line at most this often. */
const REDRAW_MS = 100;
const LOG_EVERY_MS = 5000;
const BAR_WIDTH = 24;

export interface ProgressSink {
  readonly onEvent: OnEvent;
  /** Ends the line that a bar may have left open. */
  readonly finish: () => void;
}

export interface ProgressOptions {
  readonly mode: 'bar' | 'lines' | 'json' | 'none';
  readonly write: (text: string) => void;
  readonly columns: () => number;
  readonly nowMs: () => number;
}

interface Phase {
  name: string;
  startedMs: number;
  files: number;
  bytes: number;
  totalFiles: number | undefined;
  totalBytes: number | undefined;
}

export function createProgress(options: ProgressOptions): ProgressSink {
  if (options.mode === 'none') return { onEvent: () => {}, finish: () => {} };
  if (options.mode === 'json') {
    return { onEvent: (event) => options.write(`${JSON.stringify(event)}\n`), finish: () => {} };
  }
  return options.mode === 'bar' ? barSink(options) : lineSink(options);
}

function newPhase(event: Extract<ProgressEvent, { type: 'phase' }>, nowMs: number): Phase {
  return { name: event.phase, startedMs: nowMs, files: 0, bytes: 0, totalFiles: event.files, totalBytes: event.bytes };
}

/** "fetch  1,204/2,000 files  310 MB/512 MB  12.1 MB/s  17 s left" */
function describePhase(phase: Phase, nowMs: number): string {
  const seconds = (nowMs - phase.startedMs) / 1000;
  const parts: string[] = [];
  if (phase.totalFiles !== undefined)
    parts.push(`${formatNumber(phase.files)}/${formatNumber(phase.totalFiles)} files`);
  else if (phase.files > 0) parts.push(`${formatNumber(phase.files)} files`);
  if (phase.totalBytes !== undefined) parts.push(`${formatBytes(phase.bytes)}/${formatBytes(phase.totalBytes)}`);
  else if (phase.bytes > 0) parts.push(formatBytes(phase.bytes));
  if (phase.bytes > 0 && seconds > 0.5) {
    const rate = phase.bytes / seconds;
    parts.push(`${formatBytes(rate)}/s`);
    if (phase.totalBytes !== undefined && phase.totalBytes > phase.bytes) {
      parts.push(`${formatDuration((phase.totalBytes - phase.bytes) / rate)} left`);
    }
  }
  return parts.join('  ');
}

function fraction(phase: Phase): number | undefined {
  if (phase.totalBytes) return Math.min(1, phase.bytes / phase.totalBytes);
  if (phase.totalFiles) return Math.min(1, phase.files / phase.totalFiles);
  return undefined;
}

interface Renderer {
  begin(phase: Phase): void;
  moved(phase: Phase): void;
  note(text: string, phase: Phase | undefined): void;
  end(phase: Phase): void;
}

/** Keeps the figures of the phase that is under way. */
function phaseSink(nowMs: () => number, renderer: Renderer): ProgressSink {
  let phase: Phase | undefined;
  const finish = (): void => {
    if (phase) renderer.end(phase);
    phase = undefined;
  };
  return {
    onEvent: (event) => {
      if (event.type === 'phase') {
        finish();
        phase = newPhase(event, nowMs());
        renderer.begin(phase);
      } else if (event.type === 'advance') {
        if (!phase) return;
        phase.files = event.files;
        phase.bytes = event.bytes;
        renderer.moved(phase);
      } else {
        renderer.note(`${event.level === 'warn' ? 'warning: ' : ''}${event.message}\n`, phase);
      }
    },
    finish,
  };
}

function barSink({ write, columns, nowMs }: ProgressOptions): ProgressSink {
  let drawnMs = 0;
  let open = false;
  const clear = (): void => {
    if (open) write('\r\u001b[K');
    open = false;
  };
  const draw = (phase: Phase): void => {
    const done = fraction(phase);
    const bar =
      done === undefined
        ? ''
        : `[${'='.repeat(Math.round(done * BAR_WIDTH)).padEnd(BAR_WIDTH)}] ${String(Math.floor(done * 100)).padStart(3)}%  `;
    const line = `${phase.name}  ${bar}${describePhase(phase, nowMs())}`;
    write(`\r\u001b[K${line.slice(0, Math.max(20, columns() - 1))}`);
    open = true;
    drawnMs = nowMs();
  };
  return phaseSink(nowMs, {
    begin: draw,
    moved: (phase) => {
      if (nowMs() - drawnMs >= REDRAW_MS) draw(phase);
    },
    note: (text, phase) => {
      clear();
      write(text);
      if (phase) draw(phase);
    },
    // A finished phase stays on the screen as one line.
    end: (phase) => {
      clear();
      const whole = { ...phase, totalFiles: undefined, totalBytes: undefined };
      write(`${`${phase.name}  ${describePhase(whole, nowMs())}`.trimEnd()}\n`);
    },
  });
}

function lineSink({ write, nowMs }: ProgressOptions): ProgressSink {
  let writtenMs = 0;
  let said = '';
  const figures = ({ name, files, bytes }: Phase): string => `${name} ${files} ${bytes}`;
  const line = (phase: Phase): void => {
    write(`${`${phase.name}  ${describePhase(phase, nowMs())}`.trimEnd()}\n`);
    writtenMs = nowMs();
    said = figures(phase);
  };
  return phaseSink(nowMs, {
    begin: line,
    moved: (phase) => {
      if (nowMs() - writtenMs >= LOG_EVERY_MS) line(phase);
    },
    note: write,
    end: (phase) => {
      if (figures(phase) !== said) line(phase);
    },
  });
}
