/** Upstream's own signatures once more, on what came across the gap. */
import { KubedosError } from '../errors.ts';
import type { ObjectStore, SnapshotMirror } from '../store/types.ts';
import { loadKeyring } from '../trust/keyring.ts';

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Throws where the signed document of a mirror does not hold by the keys that its spec pinned. */
export async function verifyEvidence(mirror: SnapshotMirror, objects: ObjectStore): Promise<void> {
  for (const evidence of mirror.evidence) {
    // Signatures within packages were verified when those were fetched; here the hash of the list stands for them.
    if (evidence.keyring === null || evidence.verified?.includes('metadata') === false) continue;
    const origin = `${mirror.name}, ${evidence.source}`;
    const read = async (sha256: string): Promise<Buffer> => {
      const bytes = await objects.read(sha256, MAX_DOCUMENT_BYTES);
      if (bytes) return bytes;
      throw new KubedosError('store.corrupt', `verify ${origin}: object ${sha256} is not there`);
    };
    const keyring = await loadKeyring([await read(evidence.keyring)], 'all');
    const document = await read(evidence.document);
    if (evidence.signature === null) await keyring.verifyClearsigned(document, origin);
    else await keyring.verifyDetached(document, await read(evidence.signature), origin);
  }
}
