import { describe, expect, it } from 'vitest';
import { MAX_MIRRORS_BYTES } from '../../../src/formats/rpm/layout.ts';
import { parseMetalink, parseMirrorlist } from '../../../src/formats/rpm/metalink.ts';
import { expandVars } from '../../../src/formats/rpm/variables.ts';

const hashes = (digit: string): string =>
  `<verification><hash type="md5">${digit.repeat(32)}</hash><hash type="sha256">${digit.repeat(64)}</hash></verification>`;
const METALINK = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files>
  <file name="repomd.xml">
   <mm0:timestamp>1714608000</mm0:timestamp>
   <size>4000</size>
   ${hashes('a')}
   <mm0:alternates>
    <mm0:alternate><mm0:timestamp>1714500000</mm0:timestamp><size>3900</size>${hashes('b')}</mm0:alternate>
   </mm0:alternates>
   <resources maxconnections="1">
    <url protocol="rsync" type="rsync" preference="100">rsync://a.example.org/os/repodata/repomd.xml</url>
    <url protocol="http" type="http" preference="90">http://b.example.org/os/repodata/repomd.xml</url>
    <url protocol="https" type="https" preference="99">https://c.example.org/os/repodata/repomd.xml</url>
    <url protocol="https" type="https" preference="98">https://u:p@d.example.org/os/repodata/repomd.xml</url>
    <url protocol="https" type="https" preference="97">https://e.example.org/other.xml</url>
   </resources>
  </file>
 </files>
</metalink>`;

describe('a metalink', () => {
  it('gives mirrors, best first, and the states that it vouches for', async () => {
    const { urls, accepted } = await parseMetalink(Buffer.from(METALINK), 'metalink');
    expect(urls).toEqual(['https://c.example.org/os', 'http://b.example.org/os']);
    expect(accepted).toEqual([
      { hashes: { md5: 'a'.repeat(32), sha256: 'a'.repeat(64) }, sizeBytes: 4000, timestamp: 1714608000 },
      { hashes: { md5: 'b'.repeat(32), sha256: 'b'.repeat(64) }, sizeBytes: 3900, timestamp: 1714500000 },
    ]);
  });

  it.each([
    ['format.syntax', METALINK.replace('name="repomd.xml"', 'name="other"')],
    ['format.syntax', METALINK.replaceAll('<hash', '<other').replaceAll('</hash', '</other')],
    ['format.syntax', METALINK.replace('a'.repeat(64), 'short')],
    ['format.syntax', METALINK.replaceAll('https://', 'ftp://').replaceAll('http://b', 'ftp://b')],
    ['format.syntax', '# Bad Request'],
    ['format.limit', ' '.repeat(MAX_MIRRORS_BYTES + 1)],
  ])('refuses with %s what is none', async (code, text) => {
    await expect(parseMetalink(Buffer.from(text), 'metalink')).rejects.toMatchObject({ code });
  });
});

describe('a list of mirrors', () => {
  it('has a root a line', () => {
    const text =
      '# repo = os\n\nhttps://a.example.org/os/\r\n  http://b.example.org/os\nrsync://c/os\nhttps://a.example.org/os\n';
    expect(parseMirrorlist(Buffer.from(text), 'list')).toEqual(['https://a.example.org/os', 'http://b.example.org/os']);
  });

  it('with no mirror in it is refused, as a page of HTML is', () => {
    for (const text of ['', '# nothing', '<html><body>Invalid release/repo/arch</body></html>'])
      expect(() => parseMirrorlist(Buffer.from(text), 'list')).toThrow(
        expect.objectContaining({ code: 'format.syntax' }),
      );
  });
});

it('variables are put in, and unknown ones told', () => {
  const vars = { releasever: '9', basearch: 'x86_64', none: undefined };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in configurations
  expect(expandVars('$releasever/${basearch}/$basearchive/$9', vars)).toEqual({
    text: '9/x86_64/$basearchive/$9',
    unknown: ['basearchive'],
  });
  expect(expandVars('$none$constructor', vars).unknown).toEqual(['none', 'constructor']);
});
