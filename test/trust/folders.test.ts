/** Keys and roots on disk, and what people type. */
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { gpgRunner } from '../../src/exec/gpg.ts';
import { KeyFolder } from '../../src/trust/key-folder.ts';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { parseRoot } from '../../src/trust/root-document.ts';
import { RootFolder } from '../../src/trust/root-folder.ts';
import { rootKeyOf } from '../../src/trust/roots.ts';
import { rotateSigningKey } from '../../src/trust/rotate.ts';
import { parseShortForm, shortForm } from '../../src/trust/short-form.ts';
import { gnuPg } from './gnupg.ts';

const now = new Date('2025-01-01T00:00:00Z');
const later = new Date('2025-02-01T00:00:00Z');
const wanted = { userId: 'kubedos', algorithm: 'ed25519', date: now } as const;
const STORE = 'store-1';
const dirs: string[] = [];

afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

async function house() {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-trust-'));
  dirs.push(dir);
  const keys = new KeyFolder(join(dir, 'keys'), join(dir, 'trust/imported'), gpgRunner());
  const roots = new RootFolder(join(dir, 'trust'), join(dir, 'keys/root.asc'));
  return { dir, keys, roots };
}

async function senderHouse(passphrase?: string) {
  const made = await house();
  await made.keys.create({ ...wanted, passphrase });
  await made.roots.create(STORE, rootKeyOf(await made.keys.unlock(passphrase)), { now, passphrase });
  return made;
}

const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe('the key folder', () => {
  test('keeps private halves to its owner, and makes a key once', async () => {
    const { dir, keys } = await senderHouse();
    for (const name of ['signing.asc', 'signing.rev.asc', 'root.asc']) {
      expect(await mode(join(dir, 'keys', name)), name).toBe(0o600);
    }
    expect(await mode(join(dir, 'keys/signing.pub.asc'))).toBe(0o644);
    expect((await readdir(join(dir, 'keys'))).sort()).toEqual([
      'root.asc',
      'signing.asc',
      'signing.pub.asc',
      'signing.rev.asc',
    ]);
    await expect(keys.create(wanted)).rejects.toMatchObject({ code: 'store.exists' });
    expect((await keys.unlock()).publicArmored()).toBe(await keys.publicArmored());
  });

  test('without a key says what to do', async () => {
    await expect((await house()).keys.unlock()).rejects.toMatchObject({ code: 'trust.no-key' });
  });

  test('takes a key of gpg, and a public key only if it is the expected one', async () => {
    const gnupg = gnuPg();
    const fingerprint = gnupg.key('Vendor <v@example.org>');
    const other = gnupg.key('Other <o@example.org>');
    const { keys } = await house();
    const file = gnupg.gpg(['--armor', '--export']);
    const secret = gnupg.gpg(['--armor', '--export-secret-keys', fingerprint]).toString();
    expect((await keys.adopt(secret)).fingerprint).toBe(fingerprint);

    expect((await keys.importPublic(file, fingerprint.toLowerCase())).fingerprint).toBe(fingerprint);
    const [imported] = await keys.imported();
    const kept = await loadKeyring([imported ?? Buffer.alloc(0)], 'all');
    expect(kept.keys.map((key) => key.fingerprint)).toEqual([fingerprint]);
    await expect(keys.importPublic(gnupg.gpg(['--export', other]), fingerprint)).rejects.toMatchObject({
      code: 'trust.key-mismatch',
      message: expect.stringContaining(other),
    });
    await expect(keys.importPublic(Buffer.from('no key'), fingerprint)).rejects.toMatchObject({
      code: 'format.syntax',
    });
  });
});

describe('rotating the signing key', () => {
  const rotation = { wanted, now: later, revokeOld: false } as const;

  test.each([undefined, 'open sesame'])(
    'older signatures stay good; the new key signs (passphrase: %s)',
    async (passphrase) => {
      const { dir, keys, roots } = await senderHouse(passphrase);
      const before = await keys.unlock(passphrase);
      const fingerprint = await rotateSigningKey({ keys, roots }, { ...rotation, passphrase });
      const after = await keys.unlock(passphrase);
      expect(after.info.fingerprint).toBe(fingerprint);
      expect(after.info.fingerprint).not.toBe(before.info.fingerprint);
      const keyring = await roots.keyring();
      for (const key of [before, after]) {
        await keyring.verifyDetached(Buffer.from('x'), await key.detached(Buffer.from('x'), later), 'test');
      }
      expect((await readdir(join(dir, 'keys'))).filter((name) => name.includes('next'))).toEqual([]);
      expect(await mode(join(dir, 'keys/signing.asc'))).toBe(0o600);
    },
  );

  test('revoking the old: nothing of it counts', async () => {
    const { keys, roots } = await senderHouse();
    const before = await keys.unlock();
    await rotateSigningKey({ keys, roots }, { ...rotation, revokeOld: true });
    const signature = await before.detached(Buffer.from('x'), now);
    await expect((await roots.keyring()).verifyDetached(Buffer.from('x'), signature, 'test')).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
  });

  test('killed at any step, the same call goes on with the same key, and what signs is always named', async () => {
    for (const step of ['prepared', 'named', 'published'] as const) {
      const { keys, roots } = await senderHouse();
      const next = await keys.prepare({ ...wanted, date: later });
      expect((await keys.prepare({ ...wanted, date: later })).info).toEqual(next.info);
      if (step !== 'prepared') await roots.rotate(rootKeyOf(next), { now: later, revokeOld: false });
      if (step === 'published') await publishOnly(keys, next.publicArmored());
      const signing = await keys.unlock();
      const signature = await signing.detached(Buffer.from('x'), later);
      await (await roots.keyring()).verifyDetached(Buffer.from('x'), signature, step);
      expect(signing.publicArmored()).toBe(await keys.publicArmored());
      if (step === 'published') continue;
      expect(await rotateSigningKey({ keys, roots }, rotation)).toBe(next.info.fingerprint);
      expect((await keys.unlock()).info.fingerprint).toBe(next.info.fingerprint);
      expect(await roots.own()).toHaveLength(2);
    }
  });

  /** What `promote` has done when it is killed in its middle. */
  async function publishOnly(keys: KeyFolder, publicKey: string): Promise<void> {
    const dir = dirs.at(-1) ?? '';
    await writeFile(join(dir, 'keys/signing.pub.asc'), publicKey);
    expect(await keys.publicArmored()).toBe(publicKey);
  }

  test('needs the root key at hand, and the right one', async () => {
    const { dir, keys, roots } = await senderHouse();
    await rename(join(dir, 'keys/root.asc'), join(dir, 'offline.asc'));
    await expect(rotateSigningKey({ keys, roots }, rotation)).rejects.toMatchObject({ code: 'trust.no-key' });
    const other = await senderHouse();
    await writeFile(join(dir, 'keys/root.asc'), await readFile(join(other.dir, 'keys/root.asc')));
    await expect(rotateSigningKey({ keys, roots }, rotation)).rejects.toMatchObject({ code: 'trust.no-key' });
    await rename(join(dir, 'offline.asc'), join(dir, 'keys/root.asc'));
    await rotateSigningKey({ keys, roots }, rotation);
  });
});

describe('the root folder', () => {
  test('makes one first root, and repeats nothing', async () => {
    const { keys, roots } = await senderHouse();
    await roots.create(STORE, rootKeyOf(await keys.unlock()), { now: later });
    expect(await roots.own()).toHaveLength(1);
  });

  test('replaces the root key, and goes on where it was killed', async () => {
    const { dir, keys, roots } = await senderHouse();
    const pinned = await roots.ownFingerprint();
    const old = await readFile(join(dir, 'keys/root.asc'));
    const fingerprint = await roots.rotateRootKey({ now: later });
    // As if killed before the new private half took the place of the old one.
    await rename(join(dir, 'keys/root.asc'), join(dir, 'keys/root.asc.next'));
    await writeFile(join(dir, 'keys/root.asc'), old);
    await rotateSigningKey({ keys, roots }, { wanted, now: later, revokeOld: true });
    const last = parseRoot((await roots.own()).at(-1)?.bytes ?? Buffer.alloc(0), 'test');
    expect(last).toMatchObject({ version: 3, rootKey: { fingerprint } });
    expect(await roots.ownFingerprint()).toBe(pinned);
    await roots.keyring();
    expect((await readdir(join(dir, 'keys'))).filter((name) => name.includes('next'))).toEqual([]);
  });

  test('on the other side: pinned by the short form, followed, and held to what it accepted', async () => {
    const sender = await senderHouse();
    const receiver = await house();
    const chain = await sender.roots.own();
    await expect(receiver.roots.follow(STORE, chain)).rejects.toMatchObject({ code: 'trust.key-unknown' });
    const fingerprint = (await sender.roots.ownFingerprint()) ?? '';
    expect(await receiver.roots.pin(shortForm(fingerprint))).toBe(fingerprint);
    await (await receiver.roots.follow(STORE, chain)).commit();
    expect(await receiver.roots.pinned()).toMatchObject([{ fingerprint, store: STORE, known: { version: 1 } }]);

    await rotateSigningKey(sender, { wanted, now: later, revokeOld: false });
    const longer = await sender.roots.own();
    const { keyring, signing, commit } = await receiver.roots.follow(STORE, longer);
    expect([keyring.keys.length, signing.keys.length]).toEqual([2, 1]);
    await commit();
    await expect(receiver.roots.follow(STORE, chain)).rejects.toMatchObject({ code: 'trust.rollback' });
    await expect(receiver.roots.follow('other-store', longer)).rejects.toMatchObject({ code: 'trust.key-unknown' });
    expect(await receiver.roots.pin(fingerprint)).toBe(fingerprint);
    expect((await receiver.roots.pinned())[0]?.known?.version).toBe(2);
  });

  test('its own bundles are followed by the chain that is here, and nobody else by its own keys', async () => {
    const sender = await senderHouse();
    const older = await sender.roots.own();
    await rotateSigningKey(sender, { wanted, now: later, revokeOld: false });
    const { keyring, signing } = await sender.roots.follow(STORE, older);
    expect([keyring.keys.length, signing.keys.length]).toEqual([2, 2]);
    await expect(sender.roots.follow('other-store', older)).rejects.toMatchObject({ code: 'trust.key-unknown' });
  });

  test('a damaged pin is told', async () => {
    const { dir, roots } = await house();
    const fingerprint = await roots.pin('A'.repeat(40));
    await chmod(join(dir, 'trust/pinned'), 0o700);
    await writeFile(join(dir, 'trust/pinned', `${fingerprint}.json`), '{"fingerprint":');
    await expect(roots.pinned()).rejects.toMatchObject({ code: 'store.corrupt' });
  });
});

describe('the short form', () => {
  const hex = (digits: number) =>
    fc
      .array(fc.constantFrom(...'0123456789ABCDEF'), { minLength: digits, maxLength: digits })
      .map((all) => all.join(''));

  test('comes back from however it is typed', () => {
    fc.assert(
      fc.property(fc.oneof(hex(40), hex(64)), fc.boolean(), (fingerprint, bare) => {
        const form = bare ? fingerprint : shortForm(fingerprint);
        for (const typed of [form, form.toLowerCase(), ` ${form.replaceAll(' ', '\n')}\n`, form.replaceAll(' ', '-')]) {
          expect(parseShortForm(typed, 'test')).toBe(fingerprint);
        }
      }),
    );
  });

  test('is four digits a group and a word that can be spoken', () => {
    expect(shortForm('0123456789ABCDEF0123456789ABCDEF01234567')).toMatch(/^(?:[0-9A-F]{4} ){10}[a-z]{5}$/);
  });

  test('with one digit wrong is refused', () => {
    fc.assert(
      fc.property(hex(40), fc.nat(39), fc.integer({ min: 1, max: 15 }), (fingerprint, at, by) => {
        const [digits, word] = [fingerprint.split(''), shortForm(fingerprint).split(' ').at(-1)];
        digits[at] = ((Number.parseInt(digits[at] ?? '0', 16) + by) % 16).toString(16);
        const mistyped = digits.join('').toUpperCase();
        // One in 65,536 has the same word by chance.
        fc.pre(!shortForm(mistyped).endsWith(word ?? ''));
        expect(() => parseShortForm(`${mistyped} ${word}`, 'test')).toThrow(/do not belong together/);
      }),
    );
  });

  test.each(['', 'lusab', '0123 lusab', `${'0'.repeat(40)} nonsense`, '0'.repeat(39)])('%j is none', (text) => {
    expect(() => parseShortForm(text, 'test')).toThrow(expect.objectContaining({ code: 'usage.argument' }));
  });
});
