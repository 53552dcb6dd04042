import type { Answer } from './answer.ts';
import type { ObjectReader } from './object-reader.ts';
import type { FileTarget } from './request-path.ts';
import type { ChannelView, SnapshotView, Views } from './views.ts';

/** Targets that are remembered, with half a kilobyte each; then all are forgotten and learned again. */
const MAX_READY = 20_000;

interface Ready {
  readonly target: FileTarget;
  /** The state that the answer was made from: the very object, which a move replaces. */
  readonly view: ChannelView | SnapshotView;
  readonly sha256: string;
  readonly headers: readonly string[];
}

export interface ReadyAnswer {
  readonly status: 200;
  readonly headers: readonly string[];
  readonly bytes: Uint8Array;
}

/**
 * Whole answers with a small object, as `FileRoutes` gave them before, by request target: as long as the channel or
 * snapshot is in the same state, the object is not bad and its bytes are in memory, the same request gets the same
 * answer, without waiting for anything. That is what fleets ask for thousands of times a second.
 */
export class ReadyAnswers {
  readonly #views: Views;
  readonly #reader: ObjectReader;
  readonly #ready = new Map<string, Ready>();

  constructor(views: Views, reader: ObjectReader) {
    this.#views = views;
    this.#reader = reader;
  }

  /** For a GET without conditions. Undefined: decide anew. */
  get(requestTarget: string): ReadyAnswer | undefined {
    const ready = this.#ready.get(requestTarget);
    if (ready === undefined) return undefined;
    const { area, reference } = ready.target;
    const view = area === 'c' ? this.#views.channel(reference) : this.#views.snapshot(reference);
    if (view !== ready.view || this.#reader.isBad(ready.sha256)) return undefined;
    const bytes = this.#reader.cached(ready.sha256);
    return bytes && { status: 200, headers: ready.headers, bytes };
  }

  /** Remembers an answer to a GET without conditions, if it is of that kind. */
  keep(requestTarget: string, target: FileTarget, view: ChannelView | SnapshotView, answer: Answer): void {
    const { status, headers, body } = answer;
    if (status !== 200 || body.kind !== 'object' || body.object.kind !== 'bytes') return;
    if (this.#ready.size >= MAX_READY) this.#ready.clear();
    this.#ready.set(requestTarget, { target, view, sha256: body.ref.sha256, headers });
  }
}

const CONDITIONS = /^(?:range|if-(?:range|match|none-match|modified-since))$/i;

/** Whether none of the headers (name, value, name, value…) makes an answer differ from the plain one. */
export function isUnconditional(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    // i or r: what most headers are refused by, at no cost.
    const first = name.charCodeAt(0) | 0x20;
    if ((first === 0x69 || first === 0x72) && CONDITIONS.test(name)) return false;
  }
  return true;
}
