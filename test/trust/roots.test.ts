import { describe, expect, test } from 'vitest';
import { parseRoot, type RootDocument, type SignedRoot, signedRoot, writeRoot } from '../../src/trust/root-document.ts';
import { createRoot, nextRoot, type RootChange, rootKeyOf, verifyChain } from '../../src/trust/roots.ts';
import { joinSignatures } from '../../src/trust/sign.ts';
import { createSigningKey, unlockSigningKey } from '../../src/trust/signing-key.ts';
import type { SigningKey } from '../../src/trust/types.ts';

const now = new Date('2025-01-01T00:00:00Z');
const store = '5f0c7a2e-0000-4000-8000-000000000001';

async function key(name: string): Promise<SigningKey> {
  const date = new Date('2024-01-01T00:00:00Z');
  return unlockSigningKey((await createSigningKey({ userId: name, algorithm: 'ed25519', date })).privateArmored);
}

const [root, root2, first, second, stranger] = await Promise.all(
  ['root', 'root 2', 'first', 'second', 'stranger'].map(key),
).then((keys) => keys as [SigningKey, SigningKey, SigningKey, SigningKey, SigningKey]);
const pinned = root.info.fingerprint;
const names = (keys: readonly { fingerprint: string }[]) => keys.map((each) => each.fingerprint).sort();
const fingerprints = (...keys: SigningKey[]) => keys.map((each) => each.info.fingerprint).sort();

async function chain(...changes: (RootChange & { by?: SigningKey })[]): Promise<SignedRoot[]> {
  const roots = [await createRoot({ store, rootKey: root, signingKeys: [rootKeyOf(first)], now })];
  for (const { by = root, ...change } of changes) {
    roots.push(await nextRoot(documentOf(roots.at(-1)), change, { rootKey: by, now }));
  }
  return roots;
}

function documentOf(signed: SignedRoot | undefined): RootDocument {
  return parseRoot(signed?.bytes ?? Buffer.alloc(0), 'test');
}

/** A root as an attacker writes it: any document, by any signers. */
async function forged(document: RootDocument, ...signers: SigningKey[]): Promise<SignedRoot> {
  const bytes = writeRoot(document);
  const signatures = await Promise.all(signers.map((signer) => signer.detached(bytes, now)));
  return signedRoot(document.version, bytes, await joinSignatures(signatures));
}

describe('a chain', () => {
  test('of one root gives the key that it names', async () => {
    const { current, keyring, signing } = await verifyChain(await chain(), { store, pinned });
    expect(current.version).toBe(1);
    expect(names(keyring.keys)).toEqual(fingerprints(first));
    expect(names(signing.keys)).toEqual(fingerprints(first));
  });

  test('with a new signing key: that one for what comes, both for what was', async () => {
    const roots = await chain({ signingKeys: [rootKeyOf(second)] });
    const { keyring, signing } = await verifyChain(roots, { store, pinned });
    expect(names(signing.keys)).toEqual(fingerprints(second));
    expect(names(keyring.keys)).toEqual(fingerprints(first, second));
  });

  test('with a revoked key: nothing of it counts, now and in every later version', async () => {
    const revoke = [first.info.fingerprint];
    const roots = await chain({ signingKeys: [rootKeyOf(second)], revoke }, { signingKeys: [rootKeyOf(second)] });
    const { current, keyring } = await verifyChain(roots, { store, pinned });
    expect(names(keyring.keys)).toEqual(fingerprints(second));
    expect(current.revoked).toEqual(revoke);
  });

  test('with a new root key goes on under it, from the same pin', async () => {
    const revoke = [root.info.fingerprint];
    const roots = await chain({ rootKey: root2 }, { by: root2, signingKeys: [rootKeyOf(second)], revoke });
    const { current, signing } = await verifyChain(roots, { store, pinned });
    expect(current.rootKey.fingerprint).toBe(root2.info.fingerprint);
    expect(names(signing.keys)).toEqual(fingerprints(second));
  });

  test('is the same bytes each time', async () => {
    const change = { rootKey: root2, signingKeys: [rootKeyOf(second)] };
    expect(await chain(change)).toEqual(await chain(change));
  });
});

describe('refused', () => {
  test('another first root key than the pinned one', async () => {
    await expect(verifyChain(await chain(), { store, pinned: stranger.info.fingerprint })).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
  });

  test('none', async () => {
    await expect(verifyChain([], { store, pinned })).rejects.toMatchObject({ code: 'trust.no-key' });
  });

  test('another store', async () => {
    await expect(verifyChain(await chain(), { store: 'other', pinned })).rejects.toMatchObject({
      code: 'trust.bad-signature',
    });
  });

  test('fewer versions than known, and a fork at or below the known one', async () => {
    const roots = await chain({ signingKeys: [rootKeyOf(second)] });
    const known = { version: 2, sha256: roots[1]?.sha256 ?? '' };
    await expect(verifyChain(roots.slice(0, 1), { store, pinned, known })).rejects.toMatchObject({
      code: 'trust.rollback',
    });
    const fork = await chain({ signingKeys: [rootKeyOf(stranger)] }, {});
    await expect(verifyChain(fork, { store, pinned, known })).rejects.toMatchObject({
      code: 'trust.bad-signature',
      message: expect.stringContaining('forks'),
    });
    expect((await verifyChain(roots, { store, pinned, known })).current.version).toBe(2);
  });

  test('a gap, a swap and a repeat', async () => {
    const [one, two, three] = (await chain({}, {})) as [SignedRoot, SignedRoot, SignedRoot];
    for (const roots of [
      [one, three],
      [two, three],
      [one, three, two],
      [one, one, two],
    ]) {
      await expect(verifyChain(roots, { store, pinned })).rejects.toMatchObject({ code: 'trust.bad-signature' });
    }
  });

  test.each([
    ['by nobody who may', [stranger], 'trust.key-unknown'],
    ['by the signing key', [first], 'trust.key-unknown'],
    ['by the new root key alone', [root2], 'trust.key-unknown'],
    ['by the old root key alone, naming a key that did not agree', [root], 'trust.key-unknown'],
  ])('a new root key signed %s', async (_, signers, code) => {
    const roots = await chain();
    const document = { ...documentOf(roots[0]), rootKey: rootKeyOf(root2), version: 2 };
    await expect(verifyChain([...roots, await forged(document, ...signers)], { store, pinned })).rejects.toMatchObject({
      code,
    });
    const proper = await forged(document, root, root2);
    expect((await verifyChain([...roots, proper], { store, pinned })).current.version).toBe(2);
  });

  test('a later version by a root key that was replaced', async () => {
    const roots = await chain({ rootKey: root2 });
    const document = { ...documentOf(roots[1]), version: 3 };
    await expect(verifyChain([...roots, await forged(document, root)], { store, pinned })).rejects.toMatchObject({
      code: 'trust.key-unknown',
    });
  });

  test('a revocation taken back, and a revoked key named again', async () => {
    const revoke = [first.info.fingerprint];
    const roots = await chain({ signingKeys: [rootKeyOf(second)], revoke });
    const document = { ...documentOf(roots[1]), version: 3 };
    const forgetful = await forged({ ...document, revoked: [] }, root);
    await expect(verifyChain([...roots, forgetful], { store, pinned })).rejects.toMatchObject({
      code: 'trust.bad-signature',
    });
    const reviving = await forged({ ...document, signingKeys: [rootKeyOf(first)] }, root);
    await expect(verifyChain([...roots, reviving], { store, pinned })).rejects.toMatchObject({
      code: 'trust.key-revoked',
    });
  });

  test('a public key under another fingerprint', async () => {
    const document = documentOf((await chain())[0]);
    const swapped = { fingerprint: first.info.fingerprint, publicKey: stranger.publicArmored() };
    const roots = [await forged({ ...document, signingKeys: [swapped] }, root)];
    await expect(verifyChain(roots, { store, pinned })).rejects.toMatchObject({ code: 'trust.no-key' });
  });

  test('every flipped byte of a document or its signature', async () => {
    const [one] = (await chain()) as [SignedRoot];
    for (let at = 0; at < one.bytes.length; at += 7) {
      const bytes = Buffer.from(one.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await expect(verifyChain([{ ...one, bytes }], { store, pinned })).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:trust|format)\./),
      });
    }
  });

  test('what is not in canonical form, and what has members of its own', () => {
    const document = { ...JSON.parse('{"format":"kubedos-root/1","revoked":[],"store":"s","version":1}') };
    const key = { fingerprint: 'A'.repeat(40), publicKey: '' };
    const whole = { ...document, rootKey: key, signingKeys: [key], time: '2025-01-01T00:00:00Z' };
    expect(parseRoot(writeRoot(whole), 'test')).toEqual(whole);
    for (const text of [
      `${JSON.stringify(whole)}\n`,
      writeRoot(whole).toString().trimEnd(),
      writeRoot(whole).toString().replace('{', '{"extra":1,'),
      writeRoot(whole).toString().replace('{', '{ '),
      writeRoot(whole).toString().replace('"version":1', '"version":1,"version":1'),
      writeRoot(whole).toString().replace('A'.repeat(40), 'a'.repeat(40)),
      writeRoot(whole).toString().replace('"signingKeys":[', '"signingKeys":[],"x":['),
      'null',
      '',
    ]) {
      expect(() => parseRoot(Buffer.from(text), 'test')).toThrow(expect.objectContaining({ code: 'format.syntax' }));
    }
  });
});

describe('a next root', () => {
  test('is signed by the root key that the one before names, or not at all', async () => {
    await expect(chain({ by: stranger })).rejects.toMatchObject({ code: 'trust.key-mismatch' });
  });

  test('must leave a key to sign with', async () => {
    await expect(chain({ revoke: [first.info.fingerprint] })).rejects.toMatchObject({ code: 'usage.argument' });
  });
});
