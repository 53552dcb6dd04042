import { describe, expect, it } from 'vitest';
import { MAX_REPOMD_BYTES } from '../../../src/formats/rpm/layout.ts';
import { parseRepomd, repomdText } from '../../../src/formats/rpm/repomd.ts';

const SHA256 = 'ab'.repeat(32);
const TEXT = `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1700000000</revision>
  <tags>
    <content>binary-x86_64</content>
    <distro cpeid="cpe:/o:example:9">Example</distro>
  </tags>
  <data type="primary">
    <checksum type="sha256">${SHA256}</checksum>
    <open-checksum type="sha256">${SHA256}</open-checksum>
    <location href="repodata/primary.xml.gz"/>
    <timestamp>1700000001</timestamp>
    <size>10</size>
    <open-size>20</open-size>
  </data>
  <data type="primary_zck">
    <checksum type="sha512">${'0'.repeat(128)}</checksum>
    <header-checksum type="sha256">${SHA256}</header-checksum>
    <location href="repodata/primary.xml.zck" xml:base="https://example.org/other/"/>
    <size>30</size>
    <header-size>40</header-size>
  </data>
</repomd>
`;

const data = (inner: string, type = 'primary'): Buffer =>
  Buffer.from(`<repomd><data type="${type}">${inner}</data></repomd>`);
const sum = `<checksum type="sha256">${SHA256}</checksum>`;

describe('repomd.xml', () => {
  it('is read and written alike', async () => {
    const repomd = await parseRepomd(Buffer.from(TEXT), 'repomd.xml');
    expect(repomd.revision).toBe('1700000000');
    expect(repomd.records[0]).toMatchObject({
      type: 'primary',
      checksum: { algorithm: 'sha256', hex: SHA256 },
      path: 'repodata/primary.xml.gz',
      timestamp: 1700000001,
      sizeBytes: 10,
      openBytes: 20,
    });
    expect(repomd.records[1]).toMatchObject({ base: 'https://example.org/other/', headerBytes: 40 });
    expect(repomdText(repomd)).toBe(TEXT);
  });

  it('may be old: SHA-1 as `sha`, a time with a fraction, no size', async () => {
    const old = data(
      `<checksum type="sha">${'AB'.repeat(20)}</checksum><location href="./repodata//a%2Bb.xml"/><timestamp>12.75</timestamp>`,
    );
    const { records } = await parseRepomd(old, 'x');
    expect(records).toMatchObject([
      { checksum: { algorithm: 'sha1', hex: 'ab'.repeat(20) }, path: 'repodata/a+b.xml', timestamp: 12 },
    ]);
    expect(records[0]?.sizeBytes).toBeUndefined();
  });

  it.each([
    ['format.path', data(`${sum}<location href="../../etc/passwd"/>`)],
    ['format.path', data(`${sum}<location href="repodata/%2e%2e/%2e%2e/x"/>`)],
    ['format.path', data(`${sum}<location href="/etc/passwd"/>`)],
    ['format.syntax', data(`${sum}`)],
    ['format.syntax', data('<location href="a"/>')],
    ['format.syntax', data('<checksum type="crc">1</checksum><location href="a"/>')],
    ['format.syntax', data('<checksum type="sha256">abc</checksum><location href="a"/>')],
    ['format.syntax', data(`${sum}<location href="a"/>`, '')],
    ['format.syntax', Buffer.from('<metadata/>')],
    ['format.limit', Buffer.alloc(MAX_REPOMD_BYTES + 1, ' ')],
    [
      'format.limit',
      Buffer.from(`<repomd>${data(`${sum}<location href="a"/>`).toString().slice(8, -9).repeat(1001)}</repomd>`),
    ],
  ])('refuses %s', async (code, bytes) => {
    await expect(parseRepomd(bytes, 'repomd.xml')).rejects.toMatchObject({ code });
  });
});
