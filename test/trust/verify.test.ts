/** What is a good signature, against what GnuPG makes and gpgv says. */
import { describe, expect, test } from 'vitest';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { gnuPg, gpgv } from './gnupg.ts';

const gnupg = gnuPg();
const signer = gnupg.key('Signer <s@example.org>');
const rsa = gnupg.key('RSA <r@example.org>', { algorithm: 'rsa2048' });
const p256 = gnupg.key('P-256 <p@example.org>', { algorithm: 'nistp256' });
const keys = gnupg.gpg(['--export']);
const keyringOf = (...pins: string[]) => loadKeyring([keys], pins);
const clearsign = (text: string, ...users: string[]): Buffer =>
  gnupg.gpg(['--clearsign', ...users.flatMap((user) => ['-u', user])], { input: text });

describe('clearsigned by gpg', () => {
  test.each([
    ['plain', 'Origin: Debian\nSuite: stable\n'],
    ['dashes', '- a\n-\n--- b\n-----BEGIN PGP SIGNED MESSAGE-----\n'],
    ['trailing white space', 'a \nb\t \n \n\nc'],
    ['CR LF', 'a\r\nb\r\n'],
    ['no final newline', 'a\nb'],
    ['empty lines at both ends', '\n\na\n\n\n'],
    ['UTF-8', 'Descrição: ü 漢字 🙂\n'],
    ['Latin-1', Buffer.from([0x61, 0xe9, 0x0a]).toString('latin1')],
    ['From', 'From here\n'],
    ['one empty line', '\n'],
  ])('%s: verifies, with the content that gpgv gives', async (_, text) => {
    const signed = clearsign(text, signer);
    const { content, signers } = await (await keyringOf(signer)).verifyClearsigned(signed, 'test');
    expect(signers.map((each) => each.key)).toEqual([signer]);
    // gpgv writes lines as they stand; what counts as signed is without trailing white space.
    const theirs = gpgv(keys, signed)
      .content.toString('latin1')
      .replace(/[ \t\r]+$/gm, '');
    expect(content.toString('latin1').trimEnd()).toBe(theirs.trimEnd());
  });

  test('and carried through mail or a DOS machine: CR LF everywhere', async () => {
    const signed = Buffer.from(clearsign('a\nb\n', signer).toString().replaceAll('\n', '\r\n'));
    expect((await (await keyringOf(signer)).verifyClearsigned(signed, 'test')).content.toString()).toBe('a\nb\n');
  });

  test.each([rsa, p256])('by RSA and NIST curves', async (key) => {
    const { signers } = await (await keyringOf(key)).verifyClearsigned(clearsign('x\n', key), 'test');
    expect(signers).toMatchObject([{ primary: key, key, keyExpires: null }]);
  });

  test('by several: one of a pinned key suffices, and all good ones are told', async () => {
    const signed = clearsign('x\n', signer, rsa, p256);
    const told = async (...pins: string[]) =>
      (await (await keyringOf(...pins)).verifyClearsigned(signed, 'test')).signers.map((each) => each.key).sort();
    expect(await told(rsa)).toEqual([rsa]);
    expect(await told(signer, rsa, p256)).toEqual([signer, rsa, p256].sort());
  });

  test('by a stranger: told whom, and whom we expected', async () => {
    await expect(
      (await keyringOf(rsa)).verifyClearsigned(clearsign('x\n', signer), 'InRelease of x'),
    ).rejects.toMatchObject({
      code: 'trust.key-unknown',
      message: `verify InRelease of x: signed by ${signer}; expected one of ${rsa}`,
    });
  });

  test('text that was changed: a bad signature, also where a stranger signed as well', async () => {
    const changed = Buffer.from(clearsign('Suite: stable\n', signer, rsa).toString().replace('stable', 'unstable'));
    await expect((await keyringOf(signer)).verifyClearsigned(changed, 'test')).rejects.toMatchObject({
      code: 'trust.bad-signature',
    });
  });

  test.each(['SHA1', 'RIPEMD160'])('by the weak hash %s: refused', async (digest) => {
    const signed = gnupg.gpg(['--clearsign', '-u', rsa, '--digest-algo', digest, '--allow-weak-digest-algos'], {
      input: 'x\n',
    });
    await expect((await keyringOf(rsa)).verifyClearsigned(signed, 'test')).rejects.toMatchObject({
      code: 'trust.bad-signature',
      message: expect.stringContaining('weak hash'),
    });
  });
});

describe('around and within the block', () => {
  const signed = clearsign('Suite: stable\n', signer).toString();
  const verify = async (text: string) => (await keyringOf(signer)).verifyClearsigned(Buffer.from(text), 'test');

  test('white space is passed over', async () => {
    expect((await verify(`\n \t\r\n${signed}\n\n  \n`)).content.toString()).toBe('Suite: stable\n');
  });

  test.each([
    ['text before', `Suite: evil\n${signed}`, 'trust.text-around'],
    ['text after', `${signed}Suite: evil\n`, 'trust.text-around'],
    ['another block after', signed + signed, 'trust.text-around'],
    ['a NUL after', `${signed}\0`, 'trust.text-around'],
    ['a foreign header', signed.replace(/Hash: .*/, 'Suite: evil'), 'trust.text-around'],
    ['a header twice over a blank', signed.replace(/(Hash: .*\n)/, '$1 \nSuite: evil\n'), 'trust.bad-signature'],
    ['NotDashEscaped', signed.replace(/Hash: .*/, 'NotDashEscaped: yes'), 'trust.text-around'],
    ['an unescaped dash', signed.replace('Suite', '-Suite'), 'trust.text-around'],
    [
      'a second beginning within',
      signed.replace('Suite', '-----BEGIN PGP SIGNED MESSAGE-----\nSuite'),
      'trust.text-around',
    ],
    ['no signature', signed.replace(/-----BEGIN PGP SIG[\s\S]*/, ''), 'trust.unsigned'],
    ['a signature cut off', signed.slice(0, -40), 'trust.bad-signature'],
    ['a damaged signature', signed.replace(/\n\n([A-Za-z0-9+/])/, '\n\n!'), 'trust.bad-signature'],
    ['an empty signature', signed.replace(/(SIGNATURE-----\n)[\s\S]*(-----END)/, '$1\n$2'), 'trust.bad-signature'],
    ['no block', 'Suite: stable\n', 'trust.unsigned'],
    ['nothing', '', 'trust.unsigned'],
    ['a beginning that is not one', ` ${signed}`, 'trust.unsigned'],
  ])('%s', async (_, text, code) => {
    await expect(verify(text)).rejects.toMatchObject({ code });
  });
});

describe('detached by gpg', () => {
  const content = Buffer.from('anything\0at all\r\n \xff');

  test.each([[[]], [['--armor']], [['--textmode']]])('%j', async (how) => {
    const signature = gnupg.gpg(['--detach-sign', '-u', signer, ...how], { input: content });
    const keyring = await keyringOf(signer);
    expect((await keyring.verifyDetached(content, signature, 'test')).signers).toMatchObject([{ key: signer }]);
    const other = Buffer.concat([content, Buffer.from('.')]);
    await expect(keyring.verifyDetached(other, signature, 'test')).rejects.toMatchObject({
      code: 'trust.bad-signature',
    });
    await expect((await keyringOf(rsa)).verifyDetached(content, signature, 'test')).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['prose', Buffer.from('no signature')],
    ['a key', keys],
    ['a signed message', clearsign('x\n', signer)],
  ])('%s instead of a signature', async (_, signature) => {
    await expect((await keyringOf(signer)).verifyDetached(content, signature, 'test')).rejects.toMatchObject({
      code: expect.stringMatching(/^trust\.(?:bad-signature|unsigned)$/),
    });
  });
});

describe('keys in time', () => {
  const other = gnuPg();
  const short = other.key('Short <s@example.org>', { at: '20200101T000000', expire: '20210101T000000' });
  const sign = (at: string, ...more: string[]) =>
    other.gpg(['--detach-sign', '-u', short, ...more], { input: 'x', at: `${at}!` });
  const early = sign('20200601T000000');
  const lapsed = sign('20200601T000000', '--default-sig-expire', '1d');
  const shortKey = other.gpg(['--export', short]);
  const x = Buffer.from('x');

  test('expired since it signed: still good for that, as gpgv says, and the end is told', async () => {
    const { signers } = await (await loadKeyring([shortKey], [short])).verifyDetached(x, early, 'test');
    expect(signers[0]?.keyExpires?.getUTCFullYear()).toBe(2021);
    expect(gpgv(shortKey, early, x).status).toBe(0);
  });

  test('a signature that has expired itself is not, as gpgv says', async () => {
    const keyring = await loadKeyring([shortKey], [short]);
    await expect(keyring.verifyDetached(x, lapsed, 'test')).rejects.toMatchObject({ code: 'trust.expired' });
    expect(gpgv(shortKey, lapsed, x).status).not.toBe(0);
    const then = await loadKeyring([shortKey], [short], { now: () => new Date('2020-06-01T12:00:00Z') });
    expect((await then.verifyDetached(x, lapsed, 'test')).signers).toHaveLength(1);
  });

  test('made after the expiry: refused', async () => {
    const long = gnuPg();
    const key = long.key('Long <l@example.org>', { at: '20200101T000000' });
    const late = long.gpg(['--detach-sign'], { input: 'x', at: '20220101T000000!' });
    long.gpg(['--quick-set-expire', key, '20210101T000000'], { at: '20200102T000000!' });
    const keyring = await loadKeyring([long.gpg(['--export'])], [key]);
    await expect(keyring.verifyDetached(x, late, 'test')).rejects.toMatchObject({ code: 'trust.expired' });
  });

  test('a key whose expiry was put off is good with both copies at hand', async () => {
    const put = gnuPg();
    const key = put.key('Put <p@example.org>', { at: '20200101T000000', expire: '20210101T000000' });
    const old = put.gpg(['--export']);
    put.gpg(['--quick-set-expire', key, '20990101T000000'], { at: '20201201T000000!' });
    const late = put.gpg(['--detach-sign'], { input: 'x', at: '20220101T000000!' });
    await expect((await loadKeyring([old], [key])).verifyDetached(x, late, 'test')).rejects.toMatchObject({
      code: 'trust.expired',
    });
    const { signers } = await (await loadKeyring([old, put.gpg(['--export'])], [key])).verifyDetached(x, late, 'test');
    expect(signers).toHaveLength(1);
  });

  test('revoked: vouches for nothing, whenever it signed (stricter than gpgv)', async () => {
    const gone = gnuPg();
    const key = gone.key('Gone <g@example.org>', { at: '20200101T000000' });
    const signature = gone.gpg(['--detach-sign'], { input: 'x', at: '20200601T000000!' });
    const clean = gone.gpg(['--export']);
    gone.revoke(key);
    for (const files of [[gone.gpg(['--export'])], [clean, gone.gpg(['--export'])]]) {
      const keyring = await loadKeyring(files, [key]);
      expect(keyring.keys[0]?.revoked).toBe(true);
      await expect(keyring.verifyDetached(x, signature, 'test')).rejects.toMatchObject({ code: 'trust.key-revoked' });
    }
  });
});

describe('subkeys', () => {
  const owner = gnuPg();
  const primary = owner.key('Owner <o@example.org>', { usage: 'cert' });
  owner.gpg(['--quick-add-key', primary, 'ed25519', 'sign']);
  const subkeys = () =>
    [
      ...owner
        .gpg(['--list-keys', '--with-colons'])
        .toString()
        .matchAll(/^fpr:+([0-9A-F]+):/gm),
    ].map((m) => m[1] ?? '');
  const first = subkeys()[1] ?? '';
  const signed = owner.gpg(['--clearsign'], { input: 'x\n' });
  owner.gpg(['--quick-add-key', primary, 'ed25519', 'sign']);
  const second = subkeys()[2] ?? '';
  const file = owner.gpg(['--export']);

  test('sign for their primary, and one alone can be pinned', async () => {
    for (const pin of [primary, first]) {
      const { signers } = await (await loadKeyring([file], [pin])).verifyClearsigned(signed, 'test');
      expect(signers).toMatchObject([{ primary, key: first }]);
    }
    await expect((await loadKeyring([file], [second])).verifyClearsigned(signed, 'test')).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
  });

  test('revoked: nothing of theirs is good, the primary and its others go on', async () => {
    owner.gpg(['--command-fd', '0', '--expert', '--edit-key', primary], {
      input: 'key 1\nrevkey\ny\n0\n\ny\nsave\n',
    });
    const revoked = await loadKeyring([owner.gpg(['--export'])], [primary]);
    expect(revoked.keys[0]?.revoked).toBe(false);
    await expect(revoked.verifyClearsigned(signed, 'test')).rejects.toMatchObject({ code: 'trust.key-revoked' });
    const later = owner.gpg(['--clearsign'], { input: 'x\n' });
    expect((await revoked.verifyClearsigned(later, 'test')).signers).toMatchObject([{ key: second }]);
  });
});

test('a key whose self-signature is by SHA-1 is taken, as gpgv does: it is the pin that we trust', async () => {
  const old = gnuPg();
  old.gpg([
    '--quick-gen-key',
    '--cert-digest-algo',
    'SHA1',
    '--allow-weak-key-signatures',
    'Old <o@example.org>',
    'rsa2048',
    'sign',
    'never',
  ]);
  const file = old.gpg(['--export']);
  const shown = old.gpg(['--list-packets'], { input: file }).toString();
  expect(shown).toMatch(/digest algo 2/);
  const signed = old.gpg(['--clearsign'], { input: 'x\n' });
  const keyring = await loadKeyring([file], 'all');
  expect((await keyring.verifyClearsigned(signed, 'test')).signers).toHaveLength(1);
  expect(gpgv(file, signed).status).toBe(0);
});
