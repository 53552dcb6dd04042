import { type Key, readKeys, unarmor } from 'openpgp';
import { KubedosError } from '../errors.ts';
import { POLICY } from './policy.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024 * 1024;
const BLOCK = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g;

/**
 * All public keys of a key file: binary (`gpg --export`), or any number of armoured blocks with any text between.
 * A private key in it is refused rather than carried along.
 */
export async function readPublicKeys(file: Uint8Array, origin: string): Promise<Key[]> {
  const refuse = (why: string, hint?: string, cause?: unknown): KubedosError =>
    new KubedosError('format.syntax', `read key file ${origin}: ${why}`, { hint, cause });
  if (file.length > MAX_KEY_FILE_BYTES) throw refuse(`is larger than ${MAX_KEY_FILE_BYTES} bytes`);
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.subarray(8, 12).toString('latin1') === 'KBXf') {
    throw refuse('is a GnuPG keybox', 'export the keys: gpg --no-default-keyring --keyring FILE --export > KEYS.gpg');
  }
  if (bytes.includes('-----BEGIN PGP PRIVATE KEY BLOCK-----')) throw refuse('holds a private key');
  const keys: Key[] = [];
  for (const packets of await blocks(bytes, refuse)) {
    try {
      keys.push(...(await readKeys({ binaryKeys: packets, config: POLICY })));
    } catch (cause) {
      throw refuse(cause instanceof Error ? cause.message : String(cause), undefined, cause);
    }
  }
  if (keys.some((key) => key.isPrivate())) throw refuse('holds a private key');
  if (keys.length === 0) throw refuse('holds no public key');
  return keys;
}

async function blocks(bytes: Buffer, refuse: (why: string, hint?: string, cause?: unknown) => KubedosError) {
  // The first octet of a binary packet has its high bit set; text has not (RFC 9580 §4.2).
  if (((bytes[0] ?? 0) & 0x80) !== 0) return [bytes];
  const found: Uint8Array[] = [];
  for (const [block] of bytes.toString('latin1').matchAll(BLOCK)) {
    try {
      found.push((await unarmor(block, POLICY)).data as unknown as Uint8Array);
    } catch (cause) {
      throw refuse('its armour is damaged', undefined, cause);
    }
  }
  if (found.length === 0) throw refuse('holds no public key');
  return found;
}
