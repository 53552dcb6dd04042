/** Module streams against a table: which packages are theirs, and which of them clients see. */
import {
  artifactNevra,
  type ModuleDefaults,
  type ModuleStream,
  moduleDefaults,
  moduleStream,
} from '../../../formats/rpm/modules.ts';
import type { ModuleDocument } from '../../../formats/rpm/modules-text.ts';
import { groupBy } from '../../../store/group-by.ts';
import type { Row } from '../../curate/columns.ts';
import type { RpmTable } from './rpm-table.ts';

/** A name and a stream, with all versions and contexts that there are. */
export interface KnownStream {
  /** From 1: what the table calls it. */
  readonly number: number;
  readonly name: string;
  readonly stream: string;
  readonly builds: readonly ModuleStream[];
  readonly rows: readonly Row[];
}

export class ModuleStreams {
  readonly #byKey = new Map<string, KnownStream>();
  readonly #defaults = new Map<string, ModuleDefaults>();
  readonly #active = new Set<number>();
  /** Names of packages that active streams have: what is of no stream is hidden by them. */
  readonly #names = new Set<string>();

  /** Tells the table which of its packages are of which stream; streams that are there by default are active. */
  constructor(documents: readonly ModuleDocument[], table: RpmTable) {
    const builds = groupBy(
      documents.flatMap((each) => moduleStream(each) ?? []),
      ({ name, stream }) => `${name}:${stream}`,
    );
    for (const [key, own] of builds) {
      const number = this.#byKey.size + 1;
      const rows: Row[] = [];
      for (const artifact of own.flatMap(({ artifacts }) => artifacts)) {
        const nevra = artifactNevra(artifact);
        for (const row of nevra === undefined ? [] : table.rowsOfNevra(nevra)) {
          if (table.stream(row) !== 0) continue;
          table.setStream(row, number);
          rows.push(row);
        }
      }
      const { name = '', stream = '' } = own[0] ?? {};
      this.#byKey.set(key, { number, name, stream, builds: own, rows });
    }
    for (const document of documents) {
      const found = moduleDefaults(document);
      if (found !== undefined) this.#defaults.set(found.module, found);
    }
    for (const { module, stream } of this.#defaults.values())
      if (stream !== undefined) this.activate(`${module}:${stream}`);
  }

  /** `nodejs:20`, or `nodejs` for its default stream. */
  find(text: string): KnownStream | undefined {
    return this.#byKey.get(text.includes(':') ? text : `${text}:${this.#defaults.get(text)?.stream ?? ''}`);
  }

  /** What there is of a module, as `name:stream`. */
  streamsOf(name: string): string[] {
    return [...this.#byKey.values()].filter((each) => each.name === name).map((each) => `${name}:${each.stream}`);
  }

  /** Clients can enable it: its packages may be chosen, and those of the streams that it needs. */
  activate(text: string): void {
    const found = this.find(text);
    if (found === undefined || this.#active.has(found.number)) return;
    this.#active.add(found.number);
    for (const build of found.builds) {
      for (const artifact of build.artifacts) this.#names.add(artifactNevra(artifact)?.name ?? '');
      for (const alternative of build.requires)
        for (const [name, streams] of alternative) this.#activateNeeded(name, streams);
    }
  }

  /** As dnf filters: of no stream and hidden by none, or of an active one. */
  isVisible(stream: number, name: () => string): boolean {
    return stream === 0 ? !this.#names.has(name()) : this.#active.has(stream);
  }

  /** Those named; without a name, the default one. */
  #activateNeeded(name: string, streams: readonly string[]): void {
    const named = streams.filter((stream) => !stream.startsWith('-'));
    if (named.length === 0) this.activate(name);
    for (const stream of named) this.activate(`${name}:${stream}`);
  }
}
