import { KubedosError } from '../errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;
const LOOKS_LIKE_ID = /^[0-9]+(-[0-9a-f]*)?$/;

/** Names of mirrors: they become file names and parts of URLs. `usage.argument` otherwise. */
export function checkMirrorName(name: string): string {
  if (NAME.test(name)) return name;
  throw refusal('mirror', name, 'letters, digits and . _ + - only, beginning with a letter or digit, at most 128');
}

/** Names of channels and tags: as for mirrors, and nothing that could be the id of a snapshot. */
export function checkLabelName(kind: 'channel' | 'tag', name: string): string {
  if (!NAME.test(name)) {
    throw refusal(kind, name, 'letters, digits and . _ + - only, beginning with a letter or digit, at most 128');
  }
  if (LOOKS_LIKE_ID.test(name)) throw refusal(kind, name, 'it would be taken for the id of a snapshot');
  return name;
}

export function isMirrorName(name: string): boolean {
  return NAME.test(name);
}

export function isLabelName(name: string): boolean {
  return NAME.test(name) && !LOOKS_LIKE_ID.test(name);
}

export const SHA256 = /^[0-9a-f]{64}$/;

/** Guards every way from a hash to a file name. */
export function checkSha256(sha256: string): string {
  if (SHA256.test(sha256)) return sha256;
  throw new KubedosError('internal.bug', `name object ${JSON.stringify(sha256.slice(0, 80))}: not 64 hex digits`);
}

function refusal(kind: string, name: string, why: string): KubedosError {
  return new KubedosError('usage.argument', `name ${kind} ${JSON.stringify(name.slice(0, 200))}: ${why}`);
}
