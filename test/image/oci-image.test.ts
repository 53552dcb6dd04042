import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { configBlob, layoutFiles, manifestBlob } from '../../src/image/oci-image.ts';

const LAYER = { sha256: 'a'.repeat(64), sizeBytes: 1234 };
const PART = { name: 'web', epoch: 1_700_000_000, diffId: 'b'.repeat(64) };

test('a container runs what the recipe says, or a shell', () => {
  const of = (container: Parameters<typeof configBlob>[0]['container']) =>
    JSON.parse(configBlob({ ...PART, container }).bytes).config;
  expect(of(undefined)).toEqual({ Env: [expect.stringMatching(/^PATH=/)], Cmd: ['/bin/sh'] });
  const { Entrypoint, Cmd, User } = of({ entrypoint: ['/bin/app', '-v'], cmd: ['serve'], user: 'app' });
  expect([Entrypoint, Cmd, User]).toEqual([['/bin/app', '-v'], ['serve'], 'app']);
  // An entrypoint is not given a shell to run.
  expect(of({ entrypoint: ['/bin/app'] })).not.toHaveProperty('Cmd');
});

test('both indexes find the same blobs, and are called by what they are', () => {
  const config = configBlob({ ...PART, container: undefined });
  expect(JSON.parse(config.bytes)).toMatchObject({
    created: '2023-11-14T22:13:20.000Z',
    rootfs: { diff_ids: [`sha256:${PART.diffId}`] },
  });
  const manifest = manifestBlob(config, LAYER);
  expect(manifest.sha256).toBe(hash('sha256', manifest.bytes));
  expect(JSON.parse(manifest.bytes)).toMatchObject({
    config: { digest: `sha256:${config.sha256}`, size: config.bytes.length },
    layers: [{ digest: `sha256:${LAYER.sha256}`, size: 1234 }],
  });
  const files = layoutFiles({ name: 'web', manifest, config, layer: LAYER });
  const reference = `localhost/web:${manifest.sha256.slice(0, 12)}`;
  expect(JSON.parse(files['index.json'] as string)).toMatchObject({
    manifests: [{ digest: `sha256:${manifest.sha256}`, annotations: { 'io.containerd.image.name': reference } }],
  });
  expect(JSON.parse(files['manifest.json'] as string)).toEqual([
    {
      Config: `blobs/sha256/${config.sha256}`,
      Layers: [`blobs/sha256/${LAYER.sha256}`],
      RepoTags: [reference],
    },
  ]);
});
