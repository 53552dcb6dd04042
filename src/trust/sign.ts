import {
  createMessage,
  enums,
  PacketList,
  type PrivateKey,
  readSignature,
  Signature,
  type SignaturePacket,
  sign,
} from 'openpgp';
import { KubedosError } from '../errors.ts';
import { clearsignedDocument, signableText } from './clearsigned.ts';
import { POLICY } from './policy.ts';
import type { PublicKeyInfo, SigningKey } from './types.ts';

/** The two forms of signature by an unlocked key. */
export function signatureMaker(key: PrivateKey, info: PublicKeyInfo): Pick<SigningKey, 'detached' | 'clearsign'> {
  const make = async (what: { binary: Uint8Array } | { text: string }, date: Date): Promise<string> => {
    const message = 'text' in what ? await createMessage(what) : await createMessage(what);
    try {
      const armored = await sign({
        message,
        signingKeys: key,
        detached: true,
        date,
        format: 'armored',
        config: POLICY,
      });
      return armored.replaceAll('\r\n', '\n');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KubedosError(
        info.revoked ? 'trust.key-revoked' : 'trust.expired',
        `sign with ${info.fingerprint} as of ${date.toISOString()}: ${why}`,
        { cause },
      );
    }
  };
  return {
    detached: (bytes, date = new Date()) => make({ binary: bytes }, signatureDate(date, info)),
    clearsign: async (text, date = new Date()) => {
      const signature = await make({ text: signableText(text) }, signatureDate(date, info));
      return clearsignedDocument(text, signature, await hashNames(signature));
    },
  };
}

/** What is dated by its upstream may be older than the key; a signature before its key's creation counts nowhere. */
export function signatureDate(date: Date, info: PublicKeyInfo): Date {
  return date < info.created ? info.created : date;
}

/** RFC 9580 §9.5. */
const HASH_NAMES: ReadonlyMap<number, string> = new Map([
  [enums.hash.sha256, 'SHA256'],
  [enums.hash.sha384, 'SHA384'],
  [enums.hash.sha512, 'SHA512'],
  [enums.hash.sha224, 'SHA224'],
]);

/** What the `Hash:` header of a clearsigned document must say. */
export async function hashNames(armoredSignature: string): Promise<string> {
  const { packets } = await readSignature({ armoredSignature, config: POLICY });
  const names = packets.map((packet) => HASH_NAMES.get(packet.hashAlgorithm ?? 0) ?? 'UNKNOWN');
  return [...new Set(names)].join(',');
}

/** Its packets, as tools take them that know no armour. */
export async function binarySignature(armoredSignature: string): Promise<Uint8Array> {
  return (await readSignature({ armoredSignature, config: POLICY })).write();
}

/** Several detached signatures of the same bytes as one block. */
export async function joinSignatures(armored: readonly string[]): Promise<string> {
  const [only] = armored;
  if (armored.length === 1 && only !== undefined) return only;
  const packets = new PacketList<SignaturePacket>();
  for (const armoredSignature of armored) {
    packets.push(...(await readSignature({ armoredSignature, config: POLICY })).packets);
  }
  return new Signature(packets).armor(POLICY).replaceAll('\r\n', '\n');
}
