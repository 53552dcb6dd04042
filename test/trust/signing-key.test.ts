import { describe, expect, test } from 'vitest';
import { gpgRunner } from '../../src/exec/gpg.ts';
import { gpgSigningKey } from '../../src/trust/gpg-signing-key.ts';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { createSigningKey, unlockSigningKey } from '../../src/trust/signing-key.ts';
import { gnuPg, gpgv } from './gnupg.ts';

const made = new Date('2024-01-01T00:00:00Z');
const date = new Date('2024-06-01T12:00:00Z');
const userId = 'kubedos store <store@example.org>';
const TEXTS = [
  'Origin: Example\nSuite: stable\n',
  'no final newline',
  '',
  '\n',
  '\n\nx\n\n',
  '- dash\n-\n-----BEGIN PGP SIGNED MESSAGE-----\nFrom me\n',
  'trailing \t\r\nwhite\n \n',
  'ü 漢字 🙂\n',
];

describe.each(['ed25519', 'rsa4096'] as const)('%s', (algorithm) => {
  const created = createSigningKey({ userId, algorithm, date: made });

  test('is as it was asked for', async () => {
    const { info } = await created;
    expect(info).toMatchObject({
      algorithm,
      created: made,
      expires: null,
      revoked: false,
      subkeys: [],
      userIds: [userId],
    });
    expect(info.fingerprint).toMatch(/^[0-9A-F]{40}$/);
  });

  test('signs so that gpgv and we find it good, the same each time', async () => {
    const { info, privateArmored, publicArmored } = await created;
    const key = await unlockSigningKey(privateArmored);
    expect(key.publicArmored()).toBe(publicArmored);
    expect(key.info).toEqual(info);
    const keyring = await loadKeyring([Buffer.from(publicArmored)], [info.fingerprint]);
    for (const text of TEXTS) {
      const signed = await key.clearsign(text, date);
      expect(await key.clearsign(text, date)).toBe(signed);
      const ours = await keyring.verifyClearsigned(Buffer.from(signed), 'test');
      expect(ours.signers).toMatchObject([{ primary: info.fingerprint, signedAt: date }]);
      const trimmed = text.replace(/[ \t\r]+$/gm, '');
      expect(ours.content.toString()).toBe(trimmed === '' || trimmed.endsWith('\n') ? trimmed : `${trimmed}\n`);
      expect(gpgv(keyring.binary(), signed)).toMatchObject({ status: 0 });

      const bytes = Buffer.from(text);
      const detached = await key.detached(bytes, date);
      expect(await key.detached(bytes, date)).toBe(detached);
      expect((await keyring.verifyDetached(bytes, detached, 'test')).signers).toHaveLength(1);
      expect(gpgv(keyring.binary(), detached, bytes)).toMatchObject({ status: 0 });
    }
  });
});

test('goes into gpg, with its passphrase, and signs there', async () => {
  const { privateArmored, info } = await createSigningKey({
    userId,
    algorithm: 'ed25519',
    date: made,
    passphrase: 'open sesame',
  });
  const { gpg } = gnuPg();
  gpg(['--import'], { input: privateArmored });
  const signed = gpg(['--passphrase', 'open sesame', '--clearsign', '-u', info.fingerprint], { input: 'x\n' });
  const keyring = await loadKeyring([gpg(['--export'])], [info.fingerprint]);
  expect((await keyring.verifyClearsigned(signed, 'test')).signers).toHaveLength(1);
});

test('many Ed25519 signatures are all read by gpgv: numbers with leading zeros, too', async () => {
  const { privateArmored } = await createSigningKey({ userId: 'kubedos', algorithm: 'ed25519', date: made });
  const key = await unlockSigningKey(privateArmored);
  const keyring = await loadKeyring([Buffer.from(key.publicArmored())], 'all');
  // One in 128 has a first half or a second one whose first byte is zero.
  // In one of 128 the first byte of one of its two numbers is zero.
  const odd: { text: string; signed: string }[] = [];
  for (let i = 0; odd.length < 2 && i < 5000; i++) {
    const signed = await key.clearsign(`${i}\n`, date);
    const armour = /\n\n([A-Za-z0-9+/=\n]+)\n=/.exec(signed.slice(signed.indexOf('BEGIN PGP SIGNATURE')))?.[1] ?? '';
    if (Buffer.from(armour, 'base64').length < 119) odd.push({ text: `${i}\n`, signed });
  }
  expect(odd).toHaveLength(2);
  for (const { text, signed } of odd) {
    expect(gpgv(keyring.binary(), signed)).toMatchObject({ status: 0, content: Buffer.from(text) });
    expect((await keyring.verifyClearsigned(Buffer.from(signed), 'test')).content.toString()).toBe(text);
  }
});

describe('a passphrase', () => {
  const created = createSigningKey({ userId: 'kubedos', algorithm: 'ed25519', date: made, passphrase: 'right' });

  test('is demanded, and must be the right one', async () => {
    const { privateArmored, info } = await created;
    for (const passphrase of [undefined, '', 'wrong']) {
      await expect(unlockSigningKey(privateArmored, passphrase)).rejects.toMatchObject({
        code: 'trust.passphrase',
        message: expect.stringContaining(info.fingerprint),
      });
    }
    expect((await unlockSigningKey(privateArmored, 'right')).info.fingerprint).toBe(info.fingerprint);
  });

  test('what is no private key is told without quoting it', async () => {
    const { publicArmored } = await created;
    for (const text of [publicArmored, 'secret words', '']) {
      await expect(unlockSigningKey(text)).rejects.toMatchObject({
        code: 'trust.passphrase',
        message: 'read the private key: not an armoured private key (Error)',
      });
    }
  });
});

test('a date before the key was made counts as the time when it was made', async () => {
  const { privateArmored } = await createSigningKey({ userId: 'kubedos', algorithm: 'ed25519', date: made });
  const key = await unlockSigningKey(privateArmored);
  const signed = await key.clearsign('x\n', new Date('2023-01-01T00:00:00Z'));
  const keyring = await loadKeyring([Buffer.from(key.publicArmored())], 'all');
  const { signers } = await keyring.verifyClearsigned(Buffer.from(signed), 'test');
  expect(signers).toMatchObject([{ signedAt: made }]);
  expect(gpgv(keyring.binary(), signed)).toMatchObject({ status: 0 });
});

describe('a key of gpg', () => {
  const gnupg = gnuPg();
  const primary = gnupg.key('Owner <o@example.org>', { at: '20240101T000000' });

  test('made there, is taken as our own', async () => {
    const secret = gnupg.gpg(['--armor', '--export-secret-keys', primary]).toString();
    const key = await unlockSigningKey(secret);
    expect(gpgv(gnupg.gpg(['--export']), await key.clearsign('x\n', date))).toMatchObject({ status: 0 });
  });

  test('signs from there as ours do, the same each time', async () => {
    const key = await gpgSigningKey({ fingerprint: primary, gpg: gpgRunner({ homeDir: gnupg.home }) });
    expect(key.info).toMatchObject({ fingerprint: primary, userIds: ['Owner <o@example.org>'] });
    const keyring = await loadKeyring([Buffer.from(key.publicArmored())], [primary]);
    for (const text of TEXTS) {
      const signed = await key.clearsign(text, date);
      expect(await key.clearsign(text, date)).toBe(signed);
      expect((await keyring.verifyClearsigned(Buffer.from(signed), 'test')).signers).toMatchObject([
        { signedAt: date },
      ]);
      expect(gpgv(keyring.binary(), signed)).toMatchObject({ status: 0 });
    }
    const bytes = Buffer.from([0, 1, 2, 0xff, 13, 10, 32]);
    const signature = await key.detached(bytes, date);
    expect((await keyring.verifyDetached(bytes, signature, 'test')).signers).toHaveLength(1);
  });

  test('that signs by a subkey: the primary or that subkey may be named', async () => {
    const owner = gnuPg();
    const certifier = owner.key('Certifier <c@example.org>', { usage: 'cert', at: '20240101T000000' });
    for (const _ of [1, 2]) owner.gpg(['--quick-add-key', certifier, 'ed25519', 'sign'], { at: '20240102T000000' });
    const listed = owner.gpg(['--list-keys', '--with-colons']).toString();
    const subkeys = [...listed.matchAll(/^fpr:+([0-9A-F]+):/gm)].map((match) => match[1] ?? '').slice(1);
    const gpg = gpgRunner({ homeDir: owner.home });
    for (const fingerprint of subkeys) {
      const key = await gpgSigningKey({ fingerprint, gpg });
      const keyring = await loadKeyring([Buffer.from(key.publicArmored())], [certifier]);
      const { signers } = await keyring.verifyClearsigned(Buffer.from(await key.clearsign('x\n', date)), 'test');
      expect(signers).toMatchObject([{ primary: certifier, key: fingerprint }]);
    }
  });

  test('that is not there is told', async () => {
    const gpg = gpgRunner({ homeDir: gnupg.home });
    await expect(gpgSigningKey({ fingerprint: 'A'.repeat(40), gpg })).rejects.toMatchObject({ code: 'trust.no-key' });
  });
});
