import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KubedosError } from '../../../src/errors.ts';
import { readRpm, readRpmHeader } from '../../../src/formats/rpm/rpm-file.ts';
import { SIGNATURE_TAG, TAG } from '../../../src/formats/rpm/tags.ts';
import { loadKeyring } from '../../../src/trust/keyring.ts';
import { type FakeKey, fakeKey } from '../../support/fake-key.ts';
import { headerBytes, rpmFile, type TagValue, writeRpm } from '../../support/write-rpm.ts';
import { chunked } from '../support.ts';

let key: FakeKey;
let sound: Buffer;
beforeAll(async () => {
  key = await fakeKey();
  sound = Buffer.from((await writeRpm({ name: 'hello', version: '1.0', epoch: '3' }, { key })).bytes ?? '');
});

const refused = (bytes: Uint8Array, size = 64 * 1024) =>
  readRpm(chunked(bytes, size), 'x.rpm').then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof KubedosError) return error.code;
      throw error;
    },
  );

describe('a package file', () => {
  it('tells its name, its header and its signatures', async () => {
    for (const size of [1, 7, 4096]) {
      const file = await readRpm(chunked(sound, size), 'hello.rpm');
      expect(file.nevra).toEqual({ name: 'hello', epoch: '3', version: '1.0', release: '1', arch: 'noarch' });
      expect(sound.subarray(...file.headerRange)).toEqual(file.header.bytes);
      expect(file.signatures.map(({ over }) => over)).toEqual(['header']);
      expect(file).toMatchObject({ coversPayload: true });
      expect(file.header.isWholeRegion(TAG.headerImmutable)).toBe(true);
    }
  });

  it.each(['header', 'whole', 'v6'] as const)('has signatures of the kind %s that hold', async (signs) => {
    const { bytes = Buffer.alloc(0) } = await writeRpm({ name: 'a', version: '1' }, { key, signs });
    const file = await readRpm([bytes], 'a.rpm');
    const keyring = await loadKeyring([Buffer.from(key.publicArmored)], [key.fingerprint]);
    const [signature] = file.signatures;
    const content = signs === 'whole' ? Buffer.from(bytes).subarray(file.headerRange[0]) : file.header.bytes;
    const verified = await keyring.verifyDetached(content, signature?.packets ?? '', 'a.rpm');
    expect(verified.signers.map(({ primary }) => primary)).toEqual([key.fingerprint]);
  });

  it('is a source package where it says so', async () => {
    const strip = new Map<number, TagValue>([
      [TAG.name, { text: 'a' }],
      [TAG.version, { text: '1' }],
      [TAG.release, { text: '2' }],
      [TAG.arch, { text: 'x86_64' }],
    ]);
    const archOf = async (more: [number, TagValue][] = []) => {
      const header = headerBytes(new Map<number, TagValue>([...strip, ...more]), TAG.headerImmutable);
      const signature = headerBytes(new Map([[SIGNATURE_TAG.size, { int32: [header.length] }]]));
      return (await readRpmHeader([rpmFile(signature, header, Buffer.alloc(0))], 'a')).nevra.arch;
    };
    expect(await archOf()).toBe('x86_64');
    expect(await archOf([[TAG.sourcePackage, { int32: [1] }]])).toBe('src');
  });

  it('is refused with any byte of it changed, and cut off anywhere', async () => {
    const { length } = sound;
    const start = (await readRpmHeader([sound], 'x')).headerRange[0];
    for (let at = start; at < length; at++) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(await refused(damaged), `byte ${at}`).toMatch(/^format\./);
    }
    for (let at = 0; at < length; at += 13) expect(await refused(sound.subarray(0, at)), `${at}`).toMatch(/^format\./);
  });

  it('gives a KubedosError or its facts, whatever stands before the header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 400 }), fc.uint8Array({ minLength: 1, maxLength: 16 }), async (at, bytes) => {
        const damaged = Buffer.from(sound);
        damaged.set(bytes, Math.min(at, damaged.length - bytes.length));
        await refused(damaged);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused before memory is taken for a header that claims 2 GB, or a billion tags', async () => {
    for (const [at, value] of [
      [8, 0x7fffffff],
      [12, 0x7fffffff],
      [12, 0x10000000],
    ] as const) {
      const header = headerBytes(new Map([[TAG.name, { text: 'a' }]]));
      header.writeUInt32BE(value, at);
      const signature = headerBytes(new Map([[SIGNATURE_TAG.size, { int32: [1] }]]));
      expect(await refused(rpmFile(signature, header, Buffer.alloc(0)))).toBe('format.limit');
    }
    const huge = headerBytes(new Map([[SIGNATURE_TAG.size, { int32: [1] }]]));
    huge.writeUInt32BE(65 * 1024 * 1024, 12);
    expect(await refused(rpmFile(huge, Buffer.alloc(16), Buffer.alloc(0)))).toBe('format.limit');
  });

  it('has no tag twice, none that points out of it, and no text without an end', async () => {
    const signature = headerBytes(new Map([[SIGNATURE_TAG.size, { int32: [1] }]]));
    const of = (edit: (header: Buffer) => void) => {
      const header = headerBytes(
        new Map([
          [TAG.name, { text: 'a' }],
          [TAG.version, { text: '1' }],
        ]),
      );
      edit(header);
      return refused(rpmFile(signature, header, Buffer.alloc(0)));
    };
    expect(await of((header) => header.writeInt32BE(TAG.name, 32))).toBe('format.syntax');
    expect(await of((header) => header.writeInt32BE(1000, 24))).toBe('format.syntax');
    expect(await of((header) => header.writeInt32BE(-1, 24))).toBe('format.syntax');
    expect(await of((header) => header.writeInt32BE(99, 20))).toBe('format.syntax');
    expect(await of((header) => header.writeInt32BE(0x7fffffff, 28))).toBe('format.syntax');
    expect(await of((header) => header.fill(0x61, 48))).toBe('format.syntax');
  });

  it('knows where its region leaves something out', async () => {
    const { bytes = '' } = await writeRpm({ name: 'a', version: '1' }, { key, region: false });
    expect((await readRpm([Buffer.from(bytes)], 'a')).header.isWholeRegion(TAG.headerImmutable)).toBe(false);
  });
});
