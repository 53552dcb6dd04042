/** The documents of a container image with one layer (OCI image-spec 1.0: config.md, manifest.md, image-layout.md). Pure. */
import { hash } from 'node:crypto';
import type { Recipe } from '../spec/recipe-spec.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import type { ObjectRef } from '../store/types.ts';

export interface Blob extends ObjectRef {
  readonly bytes: string;
}

const CONFIG = 'application/vnd.oci.image.config.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What runs where a recipe says nothing. */
const SHELL = ['/bin/sh'];
/** Of the digest, in the tag: an image has another name when it is another one. */
const TAG_DIGITS = 12;

export interface ContainerConfig {
  readonly name: string;
  /** Seconds. */
  readonly epoch: number;
  readonly container: Recipe['oci'];
  /** SHA-256 of the layer, unpacked. */
  readonly diffId: string;
}

export function configBlob({ name, epoch, container, diffId }: ContainerConfig): Blob {
  const created = new Date(epoch * 1000).toISOString();
  return blob({
    created,
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: [PATH],
      Entrypoint: container?.entrypoint,
      Cmd: container === undefined ? SHELL : container.cmd,
      User: container?.user,
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    history: [{ created, created_by: `kubedos bake ${name}` }],
  });
}

export function manifestBlob(config: ObjectRef, layer: ObjectRef): Blob {
  return blob({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(CONFIG, config),
    layers: [descriptor(LAYER, layer)],
  });
}

/**
 * What lies beside the blobs, by name: for readers of OCI layouts, and manifest.json for those of `docker save`, which
 * finds the same blobs.
 */
export function layoutFiles(of: {
  readonly name: string;
  readonly manifest: ObjectRef;
  readonly config: ObjectRef;
  readonly layer: ObjectRef;
}): Readonly<Record<string, string>> {
  const tag = of.manifest.sha256.slice(0, TAG_DIGITS);
  const reference = `localhost/${of.name}:${tag}`;
  const annotations = { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': tag };
  const place = ({ sha256 }: ObjectRef): string => `blobs/sha256/${sha256}`;
  return {
    'oci-layout': canonicalJson({ imageLayoutVersion: '1.0.0' }),
    'index.json': canonicalJson({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ ...descriptor(MANIFEST, of.manifest), annotations }],
    }),
    'manifest.json': canonicalJson([{ Config: place(of.config), RepoTags: [reference], Layers: [place(of.layer)] }]),
  };
}

function blob(value: object): Blob {
  const bytes = canonicalJson(value);
  return { sha256: hash('sha256', bytes), sizeBytes: Buffer.byteLength(bytes), bytes };
}

function descriptor(mediaType: string, { sha256, sizeBytes }: ObjectRef): object {
  return { mediaType, digest: `sha256:${sha256}`, size: sizeBytes };
}
