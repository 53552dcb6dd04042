/** Where a repository is served: metalinks (Metalink 3.0, with MirrorManager's `mm0:`) and lists of mirrors. */
import { KubedosError } from '../../errors.ts';
import { child, childrenOf, type XmlElement, xmlChildren } from '../xml/elements.ts';
import { MAX_MIRRORS_BYTES } from './layout.ts';
import { type ChecksumAlgorithm, checksumAlgorithm, checksumHex } from './repomd.ts';

const MAX_MIRRORS = 5000;
const REPOMD = /\/?repodata\/repomd\.xml$/;

/** A state of repomd.xml that the metalink vouches for. */
export interface AcceptedRepomd {
  readonly hashes: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  readonly sizeBytes?: number | undefined;
  /** Seconds. */
  readonly timestamp?: number | undefined;
}

export interface Metalink {
  /** Roots of the repository, best first, http and https alone. */
  readonly urls: readonly string[];
  /** The current state, then older ones that are acceptable where a mirror is behind. */
  readonly accepted: readonly AcceptedRepomd[];
}

/** `format.syntax` where there is no repomd.xml in it, or no mirror. */
export async function parseMetalink(bytes: Uint8Array, origin: string): Promise<Metalink> {
  checkSize(bytes, origin);
  for await (const files of xmlChildren([bytes], { origin, root: ['metalink'] })) {
    if (files.name !== 'files') continue;
    const file = childrenOf(files, 'file').find(({ attributes }) => attributes.name === 'repomd.xml');
    if (file === undefined) continue;
    const alternates = childrenOf(file, 'mm0:alternates').flatMap((each) => childrenOf(each, 'mm0:alternate'));
    const accepted = [file, ...alternates].map((each) => acceptedOf(each, origin));
    return { urls: urlsOf(file, origin), accepted };
  }
  throw syntax(origin, 'it names no repomd.xml');
}

function acceptedOf(file: XmlElement, origin: string): AcceptedRepomd {
  const hashes: Partial<Record<ChecksumAlgorithm, string>> = {};
  const verification = child(file, 'verification');
  for (const { attributes, text } of verification ? childrenOf(verification, 'hash') : []) {
    const algorithm = checksumAlgorithm(attributes.type ?? '');
    if (algorithm !== undefined) hashes[algorithm] = checksumHex(text.trim(), algorithm, origin);
  }
  if (Object.keys(hashes).length === 0) throw syntax(origin, 'a repomd.xml has no checksum that is known');
  return { hashes, sizeBytes: numberOf(file, 'size'), timestamp: numberOf(file, 'mm0:timestamp') };
}

function numberOf(file: XmlElement, name: string): number | undefined {
  const text = child(file, name)?.text.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function urlsOf(file: XmlElement, origin: string): string[] {
  const resources = child(file, 'resources');
  const urls = (resources ? childrenOf(resources, 'url') : []).map(({ attributes, text }) => ({
    url: text.trim(),
    preference: Number(attributes.preference ?? 0),
  }));
  // sort is stable: among equals the order of the document counts.
  urls.sort((a, b) => b.preference - a.preference);
  return usable(
    urls.flatMap(({ url }) => (REPOMD.test(url) ? [url.replace(REPOMD, '')] : [])),
    origin,
  );
}

/** A root a line; `#` begins a comment. `format.syntax` where there is no mirror in it. */
export function parseMirrorlist(bytes: Uint8Array, origin: string): string[] {
  checkSize(bytes, origin);
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  const urls = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  return usable(urls, origin);
}

/** By hand: `/\/+$/` takes the square of the time for slashes that do not stand at the end. */
function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === '/') end--;
  return url.slice(0, end);
}

/** Without what is no http, holds credentials, or is there twice. */
function usable(urls: readonly string[], origin: string): string[] {
  const found = new Set<string>();
  for (const url of urls) {
    if (/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/.test(url)) found.add(withoutEndSlashes(url));
    if (found.size >= MAX_MIRRORS) break;
  }
  if (found.size > 0) return [...found];
  throw syntax(origin, 'it names no mirror that is reached by http or https');
}

function checkSize(bytes: Uint8Array, origin: string): void {
  if (bytes.length > MAX_MIRRORS_BYTES)
    throw new KubedosError('format.limit', `parse ${origin}: larger than ${MAX_MIRRORS_BYTES} bytes`);
}

function syntax(origin: string, why: string): KubedosError {
  return new KubedosError('format.syntax', `parse ${origin}: ${why}`);
}
