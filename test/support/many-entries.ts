import { comparePaths } from '../../src/formats/path.ts';
import type { ManifestEntry } from '../../src/store/types.ts';

/** Paths as Debian's pool has them, hashes that are spread as real ones are, sorted. The same each time. */
export function manyEntries(count: number): ManifestEntry[] {
  const entries = Array.from({ length: count }, (_, index) => entryNumber(index));
  return entries.sort((a, b) => comparePaths(a.path, b.path));
}

export function entryNumber(index: number): ManifestEntry {
  const source = `source${(index * 7919) % 20_011}`;
  const path = `pool/main/${source[6]}/${source}/package-${index}_1.${index % 97}-${index % 7}_amd64.deb`;
  return { path, sha256: pseudoHash(index), sizeBytes: 1000 + ((index * 104_729) % 5_000_000) };
}

/** Not SHA-256 of anything, and much cheaper: eight scrambled words (the finaliser of MurmurHash3). */
function pseudoHash(index: number): string {
  let hex = '';
  for (let word = 0; word < 8; word++) {
    let x = (index * 8 + word + 1) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    hex += ((x ^ (x >>> 16)) >>> 0).toString(16).padStart(8, '0');
  }
  return hex;
}
