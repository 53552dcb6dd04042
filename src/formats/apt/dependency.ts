/**
 * Relationship fields: Depends, Build-Depends, Conflicts, Provides and their kin (Debian Policy 7.1; deb-control(5);
 * restriction formulas: https://wiki.debian.org/BuildProfileSpec). A scanner by hand: no regular expression sees them.
 */
import { KubedosError } from '../../errors.ts';
import { quoted } from './syntax.ts';
import { compareVersions } from './version.ts';

export type VersionRelation = '<<' | '<=' | '=' | '>=' | '>>';

export interface VersionRequirement {
  readonly relation: VersionRelation;
  readonly version: string;
}

/** One package of a relationship, as in `python3:any (>= 3.11~) [!hurd-any] <!nocheck>`. Absent parts are absent keys. */
export interface Relation {
  readonly name: string;
  /** After the colon: `any`, `native`, an architecture. */
  readonly archQualifier?: string;
  readonly version?: VersionRequirement;
  /** As written: `linux-any`, `!hurd-i386`. */
  readonly architectures?: readonly string[];
  /** Alternatives of conjunctions: `<!nocheck cross> <stage1>` is [["!nocheck","cross"],["stage1"]]. */
  readonly profiles?: readonly (readonly string[])[];
}

/** All must hold; of each, one alternative. */
export type Dependencies = readonly (readonly Relation[])[];

export interface Provided {
  readonly name: string;
  readonly archQualifier?: string;
  /** The version that is provided (`=` is the only relation there is). */
  readonly version?: string;
}

/** Most packages named by one field; the largest real ones (metapackages) name some 3,000. */
export const MAX_RELATIONS = 100_000;

/** Parses a field's value; `''` gives no demands. Empty places between commas are passed over, as dpkg and apt do. */
export function parseDependencies(text: string, origin: string): Dependencies {
  return new DependencyScanner(text, origin).conjunction();
}

/** The field's value in the customary layout. `parseDependencies` gives the same again. */
export function formatDependencies(dependencies: Dependencies): string {
  return dependencies.map((alternatives) => alternatives.map(formatRelation).join(' | ')).join(', ');
}

export function formatRelation(relation: Relation): string {
  let text = relation.name;
  if (relation.archQualifier !== undefined) text += `:${relation.archQualifier}`;
  if (relation.version !== undefined) text += ` (${relation.version.relation} ${relation.version.version})`;
  if (relation.architectures !== undefined) text += ` [${relation.architectures.join(' ')}]`;
  if (relation.profiles !== undefined) text += relation.profiles.map((all) => ` <${all.join(' ')}>`).join('');
  return text;
}

/** Parses Provides; alternatives and relations other than `=` are refused. */
export function parseProvides(text: string, origin: string): Provided[] {
  return parseDependencies(text, origin).map((alternatives) => {
    const [only] = alternatives;
    if (alternatives.length !== 1 || only === undefined)
      throw refusal(origin, 'Provides takes no alternatives', formatDependencies([alternatives]));
    if (only.version !== undefined && only.version.relation !== '=')
      throw refusal(origin, 'Provides takes = alone', formatRelation(only));
    return {
      name: only.name,
      ...(only.archQualifier !== undefined && { archQualifier: only.archQualifier }),
      ...(only.version !== undefined && { version: only.version.version }),
    };
  });
}

/** Whether the version `have` meets `relation want`. */
export function versionSatisfies(relation: VersionRelation, have: string, want: string): boolean {
  const order = compareVersions(have, want);
  switch (relation) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

/** `<` and `>` are the old spelling of `<=` and `>=` (Policy 7.1). */
const RELATIONS: ReadonlyMap<string, VersionRelation> = new Map([
  ['<<', '<<'],
  ['<=', '<='],
  ['<', '<='],
  ['=', '='],
  ['>=', '>='],
  ['>', '>='],
  ['>>', '>>'],
]);

const [SPACE, TAB, CR, LF] = [32, 9, 13, 10];
const codeOf = (character: string): number => character.charCodeAt(0);
const [COMMA, BAR, COLON, OPEN, CLOSE] = [codeOf(','), codeOf('|'), codeOf(':'), codeOf('('), codeOf(')')];
const [OPEN_ARCH, CLOSE_ARCH, LESS, GREATER, EQUALS] = [
  codeOf('['),
  codeOf(']'),
  codeOf('<'),
  codeOf('>'),
  codeOf('='),
];

function refusal(origin: string, why: string, text: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}: ${why}, got ${quoted(text)}`);
}

class DependencyScanner {
  readonly #text: string;
  readonly #origin: string;
  #at = 0;
  #relations = 0;

  constructor(text: string, origin: string) {
    this.#text = text;
    this.#origin = origin;
  }

  conjunction(): Relation[][] {
    const all: Relation[][] = [];
    for (;;) {
      this.#skipBlanks();
      if (this.#ended()) return all;
      if (this.#take(COMMA)) continue;
      all.push(this.#alternatives());
      if (!this.#ended() && !this.#take(COMMA)) throw this.#refuse('expected a comma');
    }
  }

  #alternatives(): Relation[] {
    const alternatives: Relation[] = [];
    do {
      this.#skipBlanks();
      alternatives.push(this.#relation());
      this.#skipBlanks();
    } while (this.#take(BAR));
    return alternatives;
  }

  #relation(): Relation {
    if (++this.#relations > MAX_RELATIONS)
      throw new KubedosError('format.limit', `parse ${this.#origin}: more than ${MAX_RELATIONS} packages in one field`);
    const relation: { -readonly [K in keyof Relation]: Relation[K] } = { name: this.#word('a package name') };
    if (this.#take(COLON)) relation.archQualifier = this.#word('an architecture');
    this.#skipBlanks();
    if (this.#take(OPEN)) relation.version = this.#version();
    this.#skipBlanks();
    if (this.#take(OPEN_ARCH)) relation.architectures = this.#list(CLOSE_ARCH);
    this.#skipBlanks();
    const profiles: string[][] = [];
    while (this.#take(LESS)) {
      profiles.push(this.#list(GREATER));
      this.#skipBlanks();
    }
    if (profiles.length > 0) relation.profiles = profiles;
    return relation;
  }

  /** After `(`: a relation, a version, `)`. */
  #version(): VersionRequirement {
    this.#skipBlanks();
    const start = this.#at;
    while (this.#is(LESS) || this.#is(EQUALS) || this.#is(GREATER)) this.#at++;
    // Old archives write `(1.0)` for `(= 1.0)`; dpkg takes it with a warning.
    const sign = this.#text.slice(start, this.#at) || '=';
    const relation = RELATIONS.get(sign);
    if (relation === undefined) throw this.#refuse(`no relation ${quoted(sign)}`);
    this.#skipBlanks();
    const from = this.#at;
    while (!this.#ended() && !this.#is(CLOSE) && !this.#isBlank()) this.#at++;
    const version = this.#text.slice(from, this.#at);
    if (version === '') throw this.#refuse('expected a version');
    this.#skipBlanks();
    if (!this.#take(CLOSE)) throw this.#refuse('expected )');
    return { relation, version };
  }

  /** Words up to a closing bracket; at least one. */
  #list(close: number): string[] {
    const list: string[] = [];
    for (;;) {
      this.#skipBlanks();
      if (this.#take(close)) break;
      list.push(this.#word('a name'));
    }
    if (list.length === 0) throw this.#refuse('an empty list');
    return list;
  }

  #word(what: string): string {
    const start = this.#at;
    while (!this.#ended() && isWordCharacter(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at === start) throw this.#refuse(`expected ${what}`);
    return this.#text.slice(start, this.#at);
  }

  #skipBlanks(): void {
    while (this.#isBlank()) this.#at++;
  }

  #isBlank(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code === SPACE || code === LF || code === TAB || code === CR;
  }

  #is(code: number): boolean {
    return this.#text.charCodeAt(this.#at) === code;
  }

  #take(code: number): boolean {
    if (!this.#is(code)) return false;
    this.#at++;
    return true;
  }

  #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  #refuse(why: string): KubedosError {
    return refusal(this.#origin, why, this.#text.slice(Math.max(0, this.#at - 40), this.#at + 40));
  }
}

/** Printable ASCII but the signs of the grammar: names that Policy would not allow do occur, and are names nevertheless. */
function isWordCharacter(code: number): boolean {
  if (code <= SPACE || code >= 127) return false;
  if (code === COMMA || code === BAR || code === COLON || code === OPEN || code === CLOSE) return false;
  return code !== OPEN_ARCH && code !== CLOSE_ARCH && code !== LESS && code !== GREATER && code !== EQUALS;
}
