import { readKey } from 'openpgp';
import { KubedosError } from '../errors.ts';
import { clearsignedDocument, signableText } from './clearsigned.ts';
import { parseFingerprint } from './fingerprint.ts';
import { fingerprintOf, publicKeyInfo } from './key-info.ts';
import { POLICY } from './policy.ts';
import { hashNames, signatureDate } from './sign.ts';
import type { Fingerprint, SigningKey } from './types.ts';

/** Runs gpg with these arguments after its own (home, batch, agent); gives its standard output. See exec/gpg.ts. */
export type RunGpg = (args: readonly string[], input: Uint8Array) => Promise<Buffer>;

/**
 * A key that lives in an external GnuPG: a smartcard, a token, an agent with a pinentry. The fingerprint names a
 * primary key (GnuPG chooses the part that signs) or a subkey (that one signs).
 */
export async function gpgSigningKey(options: {
  readonly fingerprint: Fingerprint;
  readonly gpg: RunGpg;
}): Promise<SigningKey> {
  const { gpg } = options;
  const fingerprint = parseFingerprint(options.fingerprint, 'external signing key');
  const exported = await gpg(['--export', fingerprint], Buffer.alloc(0));
  if (exported.length === 0) {
    throw new KubedosError('trust.no-key', `use the key ${fingerprint}: this GnuPG does not hold it`, {
      hint: 'look with `gpg --list-secret-keys`, and set GNUPGHOME if it is in another place',
    });
  }
  const key = await readKey({ binaryKey: exported, config: POLICY });
  const info = await publicKeyInfo(key);
  const publicArmored = key.armor(POLICY).replaceAll('\r\n', '\n');
  // The exclamation mark keeps GnuPG from choosing another part of the key.
  const user = fingerprintOf(key) === fingerprint ? fingerprint : `${fingerprint}!`;

  const sign = async (kind: readonly string[], bytes: Uint8Array, date: Date): Promise<string> => {
    const at = `${Math.floor(signatureDate(date, info).getTime() / 1000)}!`;
    const how = [
      '--local-user',
      user,
      '--armor',
      '--digest-algo',
      'SHA512',
      '--faked-system-time',
      at,
      '--no-emit-version',
    ];
    return (await gpg([...how, ...kind, '--detach-sign'], bytes)).toString('latin1').replaceAll('\r\n', '\n');
  };
  return {
    info,
    publicArmored: () => publicArmored,
    detached: (bytes, date = new Date()) => sign([], bytes, date),
    async clearsign(text, date = new Date()) {
      const signature = await sign(['--textmode'], Buffer.from(signableText(text)), date);
      return clearsignedDocument(text, signature, await hashNames(signature));
    },
  };
}
