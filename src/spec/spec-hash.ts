/** The identity of what a spec asks for. */
import { hash } from 'node:crypto';
import type { MirrorSpec } from './mirror-spec.ts';

/**
 * The text that stands for a spec: JSON with sorted keys and defaults filled in, without its description. Comments,
 * order of keys and spelled-out defaults do not change it; the order of lists does (the first upstream wins).
 * Contents of seed files are not in it; `extra` takes what else decides (their hashes).
 */
export function canonicalSpec(spec: MirrorSpec, extra: Readonly<Record<string, string>> = {}): string {
  const { description: _, ...rest } = spec;
  return `${JSON.stringify(sorted({ spec: rest, extra }))}\n`;
}

/** SHA-256 of the canonical text. */
export function specHash(spec: MirrorSpec, extra: Readonly<Record<string, string>> = {}): string {
  return hash('sha256', canonicalSpec(spec, extra), 'hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
