import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TAG } from '../../../src/formats/rpm/tags.ts';
import type { YumSpec } from '../../../src/spec/yum-spec.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { type FakeRepository, type FakeRpm, fakeYum } from '../../support/fake-yum.ts';
import { type RpmOptions, writeRpm } from '../../support/write-rpm.ts';
import { type Bench, openYumBench } from '../harness.ts';

const T1 = 1_714_608_000;
const BOTH = ['metadata', 'packages'];

let key: FakeKey;
let other: FakeKey;
let bench: Bench<YumSpec>;
beforeAll(async () => {
  [key, other] = await Promise.all([fakeKey(), fakeKey('Somebody else')]);
});
afterEach(() => bench.close());

const rpm = (name: string, options: RpmOptions = {}, version = '1'): Promise<FakeRpm> =>
  writeRpm({ name, version, arch: 'x86_64' }, { key, ...options });
const serve = (packages: readonly FakeRpm[], changes: Partial<FakeRepository> = {}) =>
  fakeYum({ key, repositories: { '': { packages, timestamp: T1, ...changes } } });

async function opened(verify: readonly string[], packages: readonly FakeRpm[], signed = true): Promise<void> {
  bench = await openYumBench({ files: await serve(packages, { signed }), key, upstream: { verify } });
}

/** Of a sync that must fail, and must leave nothing. */
async function refusal(verify: readonly string[], packages: readonly FakeRpm[]): Promise<string> {
  await opened(verify, packages, verify.includes('metadata'));
  const { code } = await bench.refusal();
  expect(await bench.store.heads.read('fake')).toBeUndefined();
  return code;
}

describe('signed packages', () => {
  test.each([
    [BOTH, 'header'],
    [BOTH, 'whole'],
    [BOTH, 'v6'],
    [['packages'], 'header'],
    [['packages'], 'whole'],
    [['packages'], 'v6'],
  ] as const)('are taken, verifying %j, signed over %s', async (verify, signs) => {
    await opened(verify, [await rpm('a', { signs }), await rpm('b', { signs })], verify.includes('metadata' as never));
    expect((await bench.sync()).changed).toBe(true);
    expect([...(await bench.listing()).keys()]).toContain('Packages/a/a-1-1.x86_64.rpm');
  });

  test.each(['src', 'nosrc'])('are taken where the metadata calls one without its source %s', async (arch) => {
    const tags = new Map([[TAG.sourcePackage, { int32: [1] }]]);
    await opened(BOTH, [await writeRpm({ name: 'a', version: '1', arch }, { key, tags, sourceRpm: false })]);
    expect((await bench.sync()).changed).toBe(true);
  });

  test('are all there is to vouch for a repository whose metadata is not signed', async () => {
    await opened(['packages'], [await rpm('a')], false);
    await bench.sync();
    const [evidence] = (await bench.store.heads.read('fake'))?.evidence ?? [];
    expect(evidence).toMatchObject({ signature: null, fingerprints: [], verified: ['packages'] });
    expect(bench.upstream.requests.map(({ path }) => path)).not.toContain('repodata/repomd.xml.asc');
  });
});

describe('refused:', () => {
  test('no signature', async () => {
    expect(await refusal(BOTH, [await rpm('a'), await rpm('b', { key: undefined })])).toBe('trust.unsigned');
  });

  test('the signature of another key', async () => {
    expect(await refusal(BOTH, [await rpm('a', { key: other })])).toBe('trust.key-unknown');
  });

  test('a signature of another header', async () => {
    const [a, b] = [await rpm('a'), await rpm('b')];
    const swapped = Buffer.from(a.bytes ?? '');
    const from = Buffer.from(b.bytes ?? '');
    // Both signature headers have one size: a's header behind b's signatures, with the digests that fit.
    const headerAt = swapped.indexOf(Buffer.from('8eade801', 'hex'), 100);
    from.copy(swapped, 0, 0, headerAt);
    expect(await refusal(BOTH, [{ ...a, bytes: swapped }])).toBe('format.syntax');
  });

  test('a signature of other bytes', async () => {
    const good = await rpm('a');
    const bytes = Buffer.from(good.bytes ?? '');
    const broken = await writeRpm(
      { name: 'a', version: '1', arch: 'x86_64' },
      { key: { ...key, detached: () => key.detached(bytes) } },
    );
    expect(await refusal(BOTH, [broken])).toBe('trust.bad-signature');
  });

  test('a header that names another package than the metadata does', async () => {
    const bytes = (await rpm('evil')).bytes ?? Buffer.alloc(0);
    expect(await refusal(BOTH, [{ name: 'a', version: '1', arch: 'x86_64', bytes }])).toBe('trust.other-package');
    await bench.close();
    const newer = (await rpm('a', {}, '2')).bytes ?? Buffer.alloc(0);
    expect(await refusal(BOTH, [{ name: 'a', version: '1', arch: 'x86_64', bytes: newer }])).toBe(
      'trust.other-package',
    );
  });

  test('what is no package', async () => {
    expect(await refusal(BOTH, [{ name: 'a', version: '1' }])).toBe('format.syntax');
  });

  test('tags outside of what is signed', async () => {
    expect(await refusal(BOTH, [await rpm('a', { region: false })])).toBe('trust.unsigned');
  });

  test('without signed metadata: another payload, or one that no signature covers', async () => {
    const good = await rpm('a');
    const bytes = Buffer.from(good.bytes ?? '');
    bytes.write('other', bytes.length - 6);
    expect(await refusal(['packages'], [{ ...good, bytes }])).toBe('format.syntax');
    await bench.close();
    expect(await refusal(['packages'], [await rpm('a', { payloadDigest: false })])).toBe('trust.unsigned');
  });
});

test('a package is read once, and again when the spec changes', async () => {
  await opened(['metadata'], [await rpm('a'), await rpm('b', { key: undefined })]);
  await bench.sync();
  const [upstream] = bench.spec.upstreams;
  if (upstream === undefined) throw new Error('no upstream');
  bench.spec = { ...bench.spec, upstreams: [{ ...upstream, verify: ['metadata', 'packages'] }] };
  expect((await bench.refusal()).code).toBe('trust.unsigned');
  const signed = [await rpm('a'), await rpm('b')];
  bench.upstream.serve(await serve(signed, { timestamp: T1 + 1 }));
  await bench.sync();
  bench.events.length = 0;
  bench.upstream.serve(await serve([...signed, await rpm('c')], { timestamp: T1 + 2 }));
  await bench.sync();
  const verified = bench.events.flatMap((event, at) =>
    event.type === 'phase' && event.phase === 'verify' ? [bench.events[at + 1]] : [],
  );
  expect(verified).toEqual([{ type: 'advance', files: 1, bytes: 0 }]);
});
