import { describe, expect, it, test } from 'vitest';
import { debFileName, installedPackages } from '../../src/image/installed-packages.ts';
import { cyclonedxDocument, type SbomInput, spdxDocument } from '../../src/image/sbom.ts';
import { faultsOf } from '../support/sbom-schemas.ts';

const STATUS = `Package: g++
Status: install ok installed
Maintainer: Debian GCC Maintainers <debian-gcc@lists.debian.org>
Architecture: amd64
Source: gcc-defaults (1.203)
Version: 4:12.2.0-3
Depends: cpp (>= 4:12.2.0-3), c-compiler | absent, libc6:any (>= 2.36), g++

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: gcc
Status: install ok installed
Maintainer: somebody
Architecture: amd64
Provides: c-compiler, gcc-x86-64 (= 4:12.2.0-3)
Version: 4:12.2.0-3+b1~x
Pre-Depends: libc6 | cpp

Package: cpp
Status: hold ok installed
Architecture: amd64
Version: 4:12.2.0-3

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9
`;
const DIGEST = 'ab'.repeat(32);
const PACKAGES = installedPackages(Buffer.from(STATUS), new Map([['g++_12.2.0-3_amd64.deb', DIGEST]]));
const INPUT: SbomInput = {
  image: 'image-web',
  snapshot: '12-0123456789abcdef',
  time: '2026-03-01T12:00:00Z',
  uuid: '01234567-89ab-8def-8123-456789abcdef',
  base: { distribution: 'debian', suite: 'bookworm', architecture: 'amd64' },
  packages: PACKAGES,
  version: '0.1.0',
};
const parsed = (bytes: Buffer) => JSON.parse(bytes.toString());

test('installed packages are read, with their source, their .deb, and the alternative that is there', () => {
  expect(PACKAGES.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'cpp 4:12.2.0-3',
    'g++ 4:12.2.0-3',
    'gcc 4:12.2.0-3+b1~x',
    'libc6 2.36-9',
  ]);
  expect(PACKAGES[1]).toMatchObject({ source: { name: 'gcc-defaults', version: '1.203' }, sha256: DIGEST });
  // c-compiler is what gcc provides; g++ does not depend on itself.
  expect(PACKAGES.map(({ dependsOn }) => dependsOn)).toEqual([[], [0, 2, 3], [3], []]);
  expect(PACKAGES[2]).toMatchObject({ source: { name: 'gcc', version: '4:12.2.0-3+b1~x' }, sha256: undefined });
  expect(debFileName('gcc', '4:12.2', 'amd64')).toBe('gcc_12.2_amd64.deb');
});

describe('an SBOM', () => {
  it('follows the schema of SPDX 2.3', () => {
    const document = parsed(spdxDocument(INPUT));
    expect(faultsOf('spdx', document)).toEqual([]);
    expect(document.packages[2]).toMatchObject({
      SPDXID: 'SPDXRef-deb-g-2b--2b--amd64',
      supplier: 'Organization: Debian GCC Maintainers (debian-gcc@lists.debian.org)',
      checksums: [{ algorithm: 'SHA256', checksumValue: DIGEST }],
      externalRefs: [{ referenceLocator: 'pkg:deb/debian/g%2B%2B@4:12.2.0-3?arch=amd64&distro=bookworm' }],
    });
    expect(document.relationships).toContainEqual({
      spdxElementId: 'SPDXRef-deb-gcc-amd64',
      relationshipType: 'DEPENDS_ON',
      relatedSpdxElement: 'SPDXRef-deb-libc6-amd64',
    });
    // All that is spoken of is there.
    const ids = new Set(['SPDXRef-DOCUMENT', ...document.packages.map((each: { SPDXID: string }) => each.SPDXID)]);
    for (const { spdxElementId, relatedSpdxElement } of document.relationships)
      expect(ids.has(spdxElementId) && ids.has(relatedSpdxElement)).toBe(true);
  });

  it('follows the schema of CycloneDX 1.6', () => {
    const document = parsed(cyclonedxDocument(INPUT));
    expect(faultsOf('cyclonedx', document)).toEqual([]);
    expect(document.components[2]).toMatchObject({
      purl: 'pkg:deb/debian/gcc@4:12.2.0-3%2Bb1~x?arch=amd64&distro=bookworm',
      properties: [{ name: 'kubedos:source', value: 'gcc 4:12.2.0-3+b1~x' }],
    });
    expect(document.dependencies[0].dependsOn).toHaveLength(4);
  });

  it('is seen to break the schemas where it does', () => {
    const spdx = parsed(spdxDocument({ ...INPUT, time: 'today' }));
    delete spdx.creationInfo.creators;
    spdx.relationships[0].relationshipType = 'HOLDS';
    expect(faultsOf('spdx', spdx).join()).toMatch(/creators.*relationshipType/s);
    const cyclonedx = parsed(cyclonedxDocument({ ...INPUT, uuid: 'none', time: 'today' }));
    cyclonedx.components[0].licenses = 'none';
    expect(faultsOf('cyclonedx', cyclonedx).join()).toMatch(/serialNumber.*timestamp.*licenses/s);
  });
});
