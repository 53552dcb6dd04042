import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { gnuPg, gpgv } from './gnupg.ts';

const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const LISTS = '/var/lib/apt/lists';
const debianInReleases = readdirSync(LISTS).filter((name) => /_debian.*_InRelease$/.test(name));

describe('the real InRelease', () => {
  const debian = readFileSync(DEBIAN_KEYS);

  test('of Debian is there to test with', () => expect(debianInReleases).not.toEqual([]));

  test.each(debianInReleases)('%s verifies by Debian’s keyring, with the content that gpgv gives', async (name) => {
    const bytes = readFileSync(`${LISTS}/${name}`);
    const keyring = await loadKeyring([debian], 'all');
    const { content, signers } = await keyring.verifyClearsigned(bytes, name);
    expect(signers.length).toBeGreaterThan(0);
    expect(content.equals(gpgv(debian, bytes).content)).toBe(true);
    for (const { primary, key } of signers) {
      // Either fingerprint may be pinned: the primary's or that of the subkey that signed.
      for (const pin of [primary, key]) {
        const narrow = await loadKeyring([debian], [pin]);
        expect((await narrow.verifyClearsigned(bytes, name)).signers.map((each) => each.key)).toEqual([key]);
        expect(narrow.keys.map((each) => each.fingerprint)).toEqual([primary]);
      }
    }
    const strangers = keyring.keys.map((key) => key.fingerprint).filter((f) => !signers.some((s) => s.primary === f));
    await expect((await loadKeyring([debian], strangers)).verifyClearsigned(bytes, name)).rejects.toMatchObject({
      code: 'trust.key-unknown',
      message: expect.stringContaining(signers[0]?.key ?? 'none'),
    });
  });

  test('with one byte changed anywhere does not verify', async () => {
    const keyring = await loadKeyring([debian], 'all');
    const bytes = readFileSync(`${LISTS}/${debianInReleases[0]}`);
    const text = bytes.indexOf('\n\n') + 2;
    const signature = bytes.indexOf('-----BEGIN PGP SIGNATURE');
    for (let i = 0; i < 25; i++) {
      const changed = Buffer.from(bytes);
      const at = text + Math.floor(((signature - text) * i) / 25);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(keyring.verifyClearsigned(changed, 'changed')).rejects.toMatchObject({
        code: expect.stringMatching(/^trust\.(?:bad-signature|text-around)$/),
      });
    }
  });
});

describe('key files', () => {
  const gnupg = gnuPg();
  const a = gnupg.key('A <a@example.org>');
  const b = gnupg.key('B <b@example.org>', { algorithm: 'rsa2048' });
  const binary = gnupg.gpg(['--export']);
  const armoured = gnupg.gpg(['--armor', '--export']);
  const [armouredA, armouredB] = [gnupg.gpg(['--armor', '--export', a]), gnupg.gpg(['--armor', '--export', b])];

  test.each([
    ['binary, both in one', [binary]],
    ['armoured, both in one block', [armoured]],
    ['armoured, a block each, with words between', [Buffer.concat([armouredA, Buffer.from('\nand\n'), armouredB])]],
    ['a file each, of both kinds', [gnupg.gpg(['--export', a]), armouredB]],
    ['the same twice', [binary, armouredA, binary]],
    ['with CR LF', [Buffer.from(armoured.toString().replaceAll('\n', '\r\n'))]],
  ])('%s', async (_, files) => {
    const keyring = await loadKeyring(files, [a, b]);
    expect(keyring.keys.map((key) => key.fingerprint).sort()).toEqual([a, b].sort());
    expect(keyring.keys.find((key) => key.fingerprint === a)).toMatchObject({
      userIds: ['A <a@example.org>'],
      algorithm: 'ed25519',
      expires: null,
      revoked: false,
    });
    expect(keyring.keys.find((key) => key.fingerprint === b)?.algorithm).toBe('rsa2048');
    // What comes out is what gpg and apt read.
    for (const out of [keyring.binary(), Buffer.from(keyring.armored())]) {
      const shown = gnupg.gpg(['--show-keys', '--with-colons'], { input: Buffer.from(out) }).toString();
      expect([...shown.matchAll(/^fpr:+([0-9A-F]+):/gm)].map((match) => match[1]).sort()).toEqual([a, b].sort());
    }
  });

  test('a pin is taken as people write it', async () => {
    const pin = `0x${a.toLowerCase().replace(/(.{4})/g, '$1 ')}`;
    expect((await loadKeyring([binary], [pin])).keys.map((key) => key.fingerprint)).toEqual([a]);
    await expect(loadKeyring([binary], [a.slice(-16)])).rejects.toMatchObject({ code: 'usage.argument' });
  });

  test('a pin without its key is told', async () => {
    const absent = '0'.repeat(40);
    await expect(loadKeyring([binary], [a, absent])).rejects.toMatchObject({
      code: 'trust.no-key',
      details: { missing: [absent] },
    });
    await expect(loadKeyring([], [a])).rejects.toMatchObject({ code: 'trust.no-key' });
  });

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['prose', Buffer.from('this is no key')],
    ['damaged armour', Buffer.from(armoured.toString().replace(/[A-Za-z0-9]{8}\n/, '!!!!!!!!\n'))],
    ['a cut-off block', armoured.subarray(0, 300)],
    ['a keybox', Buffer.concat([Buffer.from([0, 0, 0, 32, 1, 1, 0, 2]), Buffer.from('KBXf'), Buffer.alloc(100)])],
    ['random bytes', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 167 + 200) % 256))],
    ['a private key', gnupg.gpg(['--armor', '--export-secret-keys', a])],
    ['a private key in binary', gnupg.gpg(['--export-secret-keys', a])],
    ['a signature', gnupg.gpg(['--detach-sign'], { input: 'x' })],
  ])('%s is refused', async (_, file) => {
    await expect(loadKeyring([file], 'all')).rejects.toMatchObject({ code: 'format.syntax' });
  });
});
