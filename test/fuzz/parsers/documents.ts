/** What a store and a bundle carry, and what people write. */
import { readFileSync } from 'node:fs';
import { parseContentsLine } from '../../../src/bundle/contents.ts';
import { parseVolumeFolder } from '../../../src/bundle/names.ts';
import { readReceipt } from '../../../src/bundle/receipt.ts';
import { makeBundle, parseBundle } from '../../../src/bundle/root-document.ts';
import { BUNDLE_FORMAT, RECEIPT_FORMAT, VOLUME_FORMAT } from '../../../src/bundle/types.ts';
import { describeHeader, writeHeader } from '../../../src/bundle/ustar.ts';
import { claimedBundle, parseVolume } from '../../../src/bundle/volume-document.ts';
import { parseSums } from '../../../src/bundle/witness.ts';
import { parseMirrorSpec } from '../../../src/spec/mirror-spec.ts';
import { canonicalJson } from '../../../src/store/canonical-json.ts';
import { openSealed, sealDocument } from '../../../src/store/documents.ts';
import { parseRoot as parseManifest } from '../../../src/store/manifest-format.ts';
import { headSchema } from '../../../src/store/schemas.ts';
import { parseSnapshot, snapshotBytes } from '../../../src/store/snapshot-document.ts';
import { parseClearsigned } from '../../../src/trust/clearsigned.ts';
import { readPublicKeys } from '../../../src/trust/key-file.ts';
import { parseRoot, type RootDocument, writeRoot } from '../../../src/trust/root-document.ts';
import { parseShortForm, shortForm } from '../../../src/trust/short-form.ts';
import { fakeKey } from '../../support/fake-key.ts';
import type { Parser } from '../property.ts';
import { same } from '../same.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const json = (value: unknown): Buffer => Buffer.from(`${canonicalJson(value)}\n`);
const SHA = 'ab'.repeat(32);
const UUID = '01234567-89ab-cdef-0123-456789abcdef';
const TIME = '2024-01-02T03:04:05Z';
const ID = `1-${SHA.slice(0, 16)}`;
/** Members that a later version may have added, which sort first. */
const JSON_TOKENS = [
  '"a":1,',
  '"a":1.5,',
  '"a":"\\ud800",',
  '"a":-0,',
  '"a":{},',
  '"__proto__":1,',
  '[',
  ']',
  '{"a":',
  '}',
  'null',
  '\\u0000',
];

const mirror = {
  name: 'm',
  kind: 'apt',
  form: 'verbatim',
  manifest: { root: SHA, files: 1, bytes: 2 },
  evidence: [],
} as const;
const snapshot = {
  format: 'kubedos-snapshot/1',
  store: UUID,
  sequence: 1,
  time: TIME,
  parent: null,
  mirrors: [mirror],
  note: null,
} as const;
const head = { format: 'kubedos-head/1', ...mirror, time: TIME, spec: null, memory: { a: [1] } };
const bundle = makeBundle({
  ...{ format: BUNDLE_FORMAT, store: UUID, generation: UUID, audience: null, sequence: 1, previous: null, base: null },
  ...{
    snapshots: [{ id: ID, sha256: SHA }],
    channels: { stable: ID },
    extentBytes: 4096,
    parityPercent: 0,
    time: TIME,
  },
  contents: { sha256: SHA, sizeBytes: 75, objects: 1, bytes: 5 },
  volumes: [{ packs: [{ name: 'pack-0001.tar', sizeBytes: 2048, members: 1, listBytes: 75 }] }],
  ...{ expires: null, roots: [{ version: 1, sha256: SHA }] },
});
const volume = { format: VOLUME_FORMAT, bundle: bundle.sha256, volume: 1, of: 1, documents: [], packs: [], parity: [] };
const receipt = {
  ...{ format: RECEIPT_FORMAT, store: UUID, generation: UUID, time: TIME, senders: {}, wanted: [] },
  held: [{ id: ID, store: UUID, sequence: 1, sha256: SHA, manifests: [SHA] }],
};
const clearsigned = (text: string): string =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n`;
const root: RootDocument = {
  format: 'kubedos-root/1',
  ...{ revoked: [], rootKey: { fingerprint: 'AB'.repeat(20), publicKey: 'x' } },
  ...{ signingKeys: [{ fingerprint: 'CD'.repeat(20), publicKey: 'y' }], store: 's', time: TIME, version: 1 },
};
const manifest = `kubedos-manifest 1\nfiles 3\nbytes 9\n${SHA} 7 1 4 a/b\n${SHA} 8 2 5 é/c\n`;
const header = Buffer.alloc(512);
writeHeader(header, 0, { name: `objects/ab/${SHA}`, sizeBytes: 5, mtime: 1 });
const spec = (name: string): Buffer => readFileSync(new URL(`../../../mirror-specs/${name}.yaml`, import.meta.url));
const key = await fakeKey();

export const DOCUMENTS: readonly Parser[] = [
  {
    name: 'snapshot',
    samples: [snapshotBytes(snapshot)],
    tokens: JSON_TOKENS,
    run: (bytes) => parseSnapshot(bytes, 'f'),
  },
  {
    name: 'sealed',
    samples: [sealDocument(head)],
    tokens: JSON_TOKENS,
    run: (bytes) => openSealed(bytes, headSchema, 'f'),
  },
  {
    name: 'bundle',
    samples: [bundle.bytes],
    tokens: JSON_TOKENS,
    run: (bytes) => parseBundle(bytes, 'f'),
  },
  {
    name: 'volume',
    samples: [json(volume)],
    tokens: JSON_TOKENS,
    run: (bytes) => {
      claimedBundle(bytes);
      parseVolume(bytes, bundle, 'f');
    },
  },
  {
    name: 'receipt',
    samples: lines(clearsigned(json(receipt).toString())),
    tokens: [...JSON_TOKENS, '- ', '-----BEGIN PGP SIGNATURE-----\n'],
    run: (bytes) => readReceipt(bytes, undefined),
  },
  {
    name: 'contents-line',
    samples: lines(`${SHA} 5 0001`, `${SHA} 5 0001 ${SHA}.0000`),
    run: (bytes) => parseContentsLine(bytes.toString(), 'f'),
  },
  {
    name: 'volume-folder',
    samples: lines(`b1-${SHA.slice(0, 16)}-v001`),
    run: (bytes) => parseVolumeFolder(bytes.toString()),
  },
  {
    name: 'sums',
    samples: lines(`${SHA}  bundle.json\n${SHA}  pack-0001.tar\n`),
    run: (bytes) => parseSums(bytes.toString()),
  },
  { name: 'ustar', samples: [header], run: (bytes) => describeHeader(bytes) },
  {
    name: 'root',
    samples: [writeRoot(root)],
    tokens: JSON_TOKENS,
    run: (bytes) => parseRoot(bytes, 'f'),
  },
  {
    name: 'manifest',
    samples: lines(manifest),
    tokens: [`${SHA} 7 1 4 `, 'files ', 'bytes ', '/', '..'],
    run: (bytes) => {
      const { table } = parseManifest(SHA, bytes);
      for (let at = 0; at < table.count; at++) void [table.path(at), table.number(at, 2), table.seek(bytes)];
    },
  },
  {
    name: 'clearsigned',
    samples: lines(clearsigned('Suite: a\n- -b\n'), await key.clearsign('a \n-b\n')),
    tokens: ['- ', '-', 'Hash: SHA512\n'],
    run: (bytes) => parseClearsigned(bytes, 'f'),
  },
  {
    name: 'keys',
    samples: [
      ...lines(key.publicArmored, key.privateArmored),
      Buffer.from(key.publicArmored.split('\n\n')[1]?.split('\n=')[0] ?? '', 'base64'),
    ],
    tokens: ['-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n', '\n-----END PGP PUBLIC KEY BLOCK-----\n', '=AAAA\n'],
    run: (bytes) => readPublicKeys(bytes, 'f'),
  },
  {
    name: 'fingerprint',
    samples: lines(shortForm('AB'.repeat(20) as Parameters<typeof shortForm>[0])),
    run: (bytes) => {
      const fingerprint = parseShortForm(bytes.toString(), 'f');
      return same(() => parseShortForm(shortForm(fingerprint), 'again'), fingerprint);
    },
  },
  {
    name: 'mirror-spec',
    samples: ['debian-12', 'almalinux-9'].map(spec),
    tokens: [
      '- ',
      ': ',
      '[',
      '{',
      '? ',
      '|\n',
      '&a ',
      '*a',
      '!!binary ',
      '<<: *a',
      '---\n',
      '%YAML 1.1\n',
      '"',
      "'",
      '  ',
      'type: apt\n',
    ],
    run: (bytes) => parseMirrorSpec(bytes.toString(), 'f'),
  },
];
