/** The identity of what a spec asks for. */
import { hash } from 'node:crypto';
import type { MirrorSpec } from './mirror-spec.ts';

/**
 * SHA-256 of the spec with sorted keys and defaults filled in, without its description: comments, order of keys
 * and spelled-out defaults do not change it, order of lists does (the first upstream wins). Contents of seed
 * files are not in it; `extra` takes what else decides (their hashes).
 */
export function specHash(spec: MirrorSpec, extra: Readonly<Record<string, string>> = {}): string {
  const { description: _, ...rest } = spec;
  return hash('sha256', JSON.stringify(sorted({ spec: rest, extra })), 'hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
