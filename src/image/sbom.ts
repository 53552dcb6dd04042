/** What a system consists of, in the two forms that are asked for: SPDX 2.3 and CycloneDX 1.6, as JSON. Pure. */
import type { RecipeBase } from '../spec/recipe-spec.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import type { InstalledPackage } from './installed-packages.ts';

export interface SbomInput {
  /** Of the list of the image. */
  readonly image: string;
  readonly snapshot: string;
  /** ISO 8601, whole seconds, Z: that of the snapshot. */
  readonly time: string;
  /** Names the document: the same for the same system. */
  readonly uuid: string;
  readonly base: RecipeBase;
  readonly packages: readonly InstalledPackage[];
  /** Of kubedos. */
  readonly version: string;
}

const IMAGE_ID = 'SPDXRef-Image';

/** SPDX 2.3 (spdx.github.io/spdx-spec/v2.3). Nobody has looked at licences, so nothing is asserted of them. */
export function spdxDocument({ image, snapshot, time, uuid, base, packages, version }: SbomInput): Buffer {
  const relation = (from: string, relationshipType: string, to: string) => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  });
  const ids = packages.map(spdxId);
  const idOf = (at: number): string => ids[at] as string;
  const unknown = {
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
  };
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image,
    documentNamespace: `urn:uuid:${uuid}`,
    creationInfo: { created: time, creators: [`Tool: kubedos-${version}`] },
    packages: [
      { SPDXID: IMAGE_ID, name: image, versionInfo: snapshot, primaryPackagePurpose: 'OPERATING_SYSTEM', ...unknown },
      ...packages.map((each, at) => ({
        SPDXID: idOf(at),
        name: each.name,
        versionInfo: each.version,
        supplier: supplierOf(each),
        sourceInfo: `built from source package ${each.source.name} ${each.source.version}`,
        checksums: each.sha256 && [{ algorithm: 'SHA256', checksumValue: each.sha256 }],
        externalRefs: [
          { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purlOf(each, base) },
        ],
        ...unknown,
      })),
    ],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE_ID),
      ...ids.map((id) => relation(IMAGE_ID, 'CONTAINS', id)),
      ...packages.flatMap((each, at) => each.dependsOn.map((to) => relation(idOf(at), 'DEPENDS_ON', idOf(to)))),
    ],
  };
  return Buffer.from(canonicalJson(document));
}

/** Letters, digits, dot and hyphen are allowed (clause 3.2): what else names hold is given as its code. */
function spdxId({ name, architecture }: InstalledPackage): string {
  const plain = (text: string): string =>
    text.replace(/[^A-Za-z0-9.-]/g, (each) => `-${each.charCodeAt(0).toString(16)}-`);
  return `SPDXRef-deb-${plain(name)}-${plain(architecture)}`;
}

/** Clause 7.5: `Organization: name (mail)`. Debian does not tell whether a maintainer is one person. */
function supplierOf({ maintainer }: InstalledPackage): string {
  const [, name, mail] = /^\s*(.*?)\s*<([^<>]*)>\s*$/.exec(maintainer ?? '') ?? [];
  if (name) return `Organization: ${name} (${mail})`;
  return maintainer ? `Organization: ${maintainer}` : 'NOASSERTION';
}

/** CycloneDX 1.6 (cyclonedx.org/docs/1.6/json). */
export function cyclonedxDocument({ image, snapshot, time, uuid, base, packages, version }: SbomInput): Buffer {
  const refs = packages.map((each) => purlOf(each, base));
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: {
      timestamp: time,
      tools: { components: [{ type: 'application', name: 'kubedos', version }] },
      component: { type: 'operating-system', 'bom-ref': image, name: image, version: snapshot },
    },
    components: packages.map((each, at) => ({
      type: 'library',
      'bom-ref': refs[at],
      name: each.name,
      version: each.version,
      publisher: each.maintainer,
      hashes: each.sha256 && [{ alg: 'SHA-256', content: each.sha256 }],
      purl: refs[at],
      properties: [{ name: 'kubedos:source', value: `${each.source.name} ${each.source.version}` }],
    })),
    dependencies: [
      { ref: image, dependsOn: refs },
      ...packages.map((each, at) => ({ ref: refs[at], dependsOn: each.dependsOn.map((to) => refs[to]) })),
    ],
  };
  return Buffer.from(canonicalJson(document));
}

/** github.com/package-url/purl-spec, types deb and rpm: a colon stays as it is, the epoch of an rpm is apart. */
function purlOf({ name, version, architecture }: InstalledPackage, base: SbomInput['base']): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':');
  const named = (what: string): string => `${encoded(name)}@${encoded(what)}?arch=${encoded(architecture)}`;
  if (base.distribution === 'debian') return `pkg:deb/debian/${named(version)}&distro=${base.suite}`;
  const [, epoch, plain = version] = /^(\d+):(.*)$/.exec(version) ?? [];
  return `pkg:rpm/${named(plain)}&distro=el-${base.release}${epoch === undefined ? '' : `&epoch=${epoch}`}`;
}
