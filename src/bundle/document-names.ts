/** The documents that each volume carries whole, by the names that the signed root implies. */
import { CONTENTS_NAME, ROOT_NAME, ROOT_SIGNATURE_NAME } from './names.ts';
import type { BundleRoot } from './types.ts';

/** Public keys of the sender as OpenPGP packets, for gpgv. A convenience: no import trusts it. */
export const SENDER_KEYS_NAME = 'sender.gpg';

export function snapshotName(id: string): string {
  return `snapshots/${id}.json`;
}

export function rootName(version: number): string {
  return `roots/${version}.json`;
}

/** Sorted. Without packs, parity, volume.json and SHA256SUMS. */
export function documentNames(root: BundleRoot): string[] {
  const signed = [
    ...root.snapshots.map(({ id }) => snapshotName(id)),
    ...root.roots.map(({ version }) => rootName(version)),
  ];
  return [
    ROOT_NAME,
    ROOT_SIGNATURE_NAME,
    CONTENTS_NAME,
    SENDER_KEYS_NAME,
    ...signed.flatMap((name) => [name, `${name}.asc`]),
  ].sort();
}
