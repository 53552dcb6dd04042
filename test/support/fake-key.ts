/** OpenPGP keys for tests, made anew in each process: no private key lies in the repository. */
import * as openpgp from 'openpgp';

export interface FakeKey {
  readonly fingerprint: string;
  readonly publicArmored: string;
  readonly privateArmored: string;
  clearsign(text: string, date?: Date): Promise<string>;
  detached(bytes: Uint8Array, date?: Date): Promise<string>;
}

/** Ed25519, as gpgv of Debian 12 reads it. Valid from 2020 on, so that archives of the past can be signed. */
export async function fakeKey(name = 'Test Archive'): Promise<FakeKey> {
  const pair = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name, email: 'archive@example.org' }],
    date: new Date('2020-01-01T00:00:00Z'),
    format: 'object',
  });
  const signingKeys = pair.privateKey;
  return {
    fingerprint: pair.publicKey.getFingerprint().toUpperCase(),
    publicArmored: pair.publicKey.armor(),
    privateArmored: pair.privateKey.armor(),
    async clearsign(text, date = new Date()) {
      const message = await openpgp.createCleartextMessage({ text });
      return openpgp.sign({ message, signingKeys, date });
    },
    async detached(bytes, date = new Date()) {
      const message = await openpgp.createMessage({ binary: bytes });
      return openpgp.sign({ message, signingKeys, detached: true, date });
    },
  };
}
