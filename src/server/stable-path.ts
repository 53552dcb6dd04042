/** Which files a client may still ask for after its channel has moved on, and for how long caches may keep what. */

const BY_HASH = /(?:^|\/)by-hash\/(?:MD5Sum|SHA1|SHA256|SHA512)\/[0-9a-f]+$/;
const PACKAGE = /(?:^|\/)pool\/|\.(?:deb|udeb|ddeb|dsc|rpm)$/;

/** The name holds the hash: other bytes can never be under it. */
export function isByHash(path: string): boolean {
  return BY_HASH.test(path);
}

/**
 * A client that took an older InRelease asks for its indexes by hash, then for packages those list. Nothing else
 * may be answered from an older state: it would be a mixture.
 */
export function outlivesMove(path: string): boolean {
  return BY_HASH.test(path) || PACKAGE.test(path);
}

export const CACHE_FOR_EVER = 'public, max-age=31536000, immutable';
/** Kept by caches, but asked about each time: 304 is cheap, a stale index beside a new Release is not. */
export const CACHE_ASK_FIRST = 'public, no-cache';
const CACHE_PACKAGES = 'public, max-age=3600';

/** Cache-Control of a file under `/c/`; everything under `/s/ID/` is for ever. */
export function channelCacheControl(path: string): string {
  if (isByHash(path)) return CACHE_FOR_EVER;
  return PACKAGE.test(path) ? CACHE_PACKAGES : CACHE_ASK_FIRST;
}
