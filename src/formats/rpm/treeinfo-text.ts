/**
 * The lines of a .treeinfo, as Python's configparser takes them apart (productmd reads it with that). They are what is
 * carried, so that unknown sections survive.
 */
import { KubedosError } from '../../errors.ts';

/** Real ones have some 5 KB. */
export const MAX_TREEINFO_BYTES = 1024 * 1024;
const MAX_LINES = 5000;

/** A value, or a comment with its `;` or `#`. */
export type TreeLine = { readonly key: string; readonly value: string } | { readonly comment: string };

export interface TreeSection {
  readonly name: string;
  /** What stands behind its bracket: a comment, or whatever configparser passes over. */
  readonly behind: string;
  readonly lines: readonly TreeLine[];
}

export interface Treeinfo {
  /** Comments before the first section. */
  readonly head: readonly string[];
  readonly sections: readonly TreeSection[];
}

/** `format.syntax` with the line, and `format.limit`. */
export function parseTreeinfo(bytes: Uint8Array, origin: string): Treeinfo {
  if (bytes.length > MAX_TREEINFO_BYTES)
    throw new KubedosError('format.limit', `parse ${origin}: larger than ${MAX_TREEINFO_BYTES} bytes`);
  const lines = decode(bytes, origin).split(/\r\n?|\n/);
  if (lines.filter((line) => line.trim() !== '').length > MAX_LINES)
    throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_LINES} lines`);
  const building = new Building();
  lines.forEach((line, i) => {
    if (line.trim() !== '' && !building.add(line)) throw syntax(`${origin}:${i + 1}`, building.refusal);
  });
  if (building.sections.length === 0) throw syntax(origin, 'no section');
  return { head: building.head, sections: building.sections };
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KubedosError('format.syntax', `parse ${origin}: not UTF-8`, { cause });
  }
}

class Building {
  readonly head: string[] = [];
  readonly sections: (TreeSection & { readonly lines: TreeLine[] })[] = [];
  /** Where the value stands that a deeper line goes on with, and how deep its key is. */
  #open: { readonly at: number; readonly indent: number } | undefined;

  get refusal(): string {
    return this.sections.length === 0 ? 'text before the first section' : 'neither a section nor a key with its value';
  }

  /** False where the line is nothing that may stand there. */
  add(line: string): boolean {
    const text = line.trim();
    const lines = this.sections.at(-1)?.lines;
    if (/^[#;]/.test(text)) {
      lines === undefined ? this.head.push(text) : lines.push({ comment: text });
      return true;
    }
    const indent = line.length - line.trimStart().length;
    if (lines !== undefined && this.#open !== undefined && indent > this.#open.indent) {
      const { key, value } = lines[this.#open.at] as { key: string; value: string };
      lines[this.#open.at] = { key, value: `${value}\n${text}` };
      return true;
    }
    const [, name, behind = ''] = /^\[([^\]]+)\]\s*(.*)$/s.exec(text) ?? [];
    if (name !== undefined) {
      this.sections.push({ name, behind, lines: [] });
      this.#open = undefined;
      return true;
    }
    // The first `=` or `:` ends the key.
    const [, key, value = ''] = /^(?!\[)([^=:]*[^=:\s])\s*[=:](.*)$/s.exec(text) ?? [];
    if (lines === undefined || key === undefined) return false;
    this.#open = { at: lines.length, indent };
    lines.push({ key, value: value.trim() });
    return true;
  }
}

/** As productmd writes it; blank lines are its own. */
export function treeinfoText({ head, sections }: Treeinfo): string {
  const text = (line: TreeLine): string =>
    'comment' in line ? `${line.comment}\n` : `${line.key} = ${line.value.replaceAll('\n', '\n\t')}\n`;
  const parts = sections.map(
    ({ name, behind, lines }) => `${`[${name}] ${behind}`.trimEnd()}\n${lines.map(text).join('')}\n`,
  );
  return head.map((line) => `${line}\n`).join('') + parts.join('');
}

/** The last one where there are several; `undefined` where there is none. */
export function treeValue(tree: Treeinfo, section: string, key: string): string | undefined {
  return valuesOf(tree).get(section)?.get(key);
}

type Values = ReadonlyMap<string, ReadonlyMap<string, string>>;
/** By section and key, found once: variants ask for many. */
const VALUES = new WeakMap<Treeinfo, Values>();

function valuesOf(tree: Treeinfo): Values {
  const known = VALUES.get(tree);
  if (known !== undefined) return known;
  const found = new Map<string, Map<string, string>>();
  for (const { name, lines } of tree.sections) {
    const own = found.get(name) ?? new Map<string, string>();
    found.set(name, own);
    for (const line of lines) if ('key' in line) own.set(line.key, line.value);
  }
  VALUES.set(tree, found);
  return found;
}

function syntax(place: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${place}: ${why}`);
}
