import { expect, test } from 'vitest';
import { parsePackageList } from '../../../src/formats/apt/package-list.ts';

const brief = (text: string) =>
  parsePackageList(text, 'host.txt').map(
    ({ name, architecture, version, exact }) =>
      `${name}${architecture ? `:${architecture}` : ''}${version ? `${exact ? '=' : ' '}${version}` : ''}`,
  );

test('reads dpkg -l: what is installed, not what was removed', () => {
  const text = `Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
||/ Name                          Version                        Architecture Description
+++-=============================-==============================-============-=================
ii  adduser                       3.134                          all          add and remove users and groups
hi  libc6:amd64                   2.36-9+deb12u10                amd64        GNU C Library: Shared libraries
rc  linux-image-6.1.0-9-amd64     6.1.27-1                       amd64        Linux 6.1 for 64-bit PCs (signed)
un  emacs                         <none>                         <none>       (no description available)
iW  man-db                        2.11.2-2                       amd64        tools for reading manual pages
iHR broken                        1                              amd64        half installed, reinstallation required
`;
  expect(brief(text)).toEqual(['adduser 3.134', 'libc6:amd64 2.36-9+deb12u10', 'man-db:amd64 2.11.2-2']);
});

test('reads names, versions, selections and dpkg-query -W in one list', () => {
  const text = `# a host
nginx
ii
nginx-common=1.22.1-9   # pinned

libc6:i386
libssl3:amd64=3.0.17-1~deb12u2
bash\tinstall
vim:amd64\thold
nano\tdeinstall
coreutils\t9.1-1
libgcc-s1:amd64\t12.2.0-14\r
`;
  expect(brief(text)).toEqual([
    'nginx',
    'ii',
    'nginx-common=1.22.1-9',
    'libc6:i386',
    'libssl3:amd64=3.0.17-1~deb12u2',
    'bash',
    'vim:amd64',
    'coreutils 9.1-1',
    'libgcc-s1:amd64 12.2.0-14',
  ]);
  expect(parsePackageList(text, 'x')[0]).toMatchObject({ line: 2, exact: false });
});

test.each(['two words', 'a b c d', '../etc', 'name=', 'a=1=2', '-option', 'a:b:c', 'a:', 'nginx and', '$(x)'])(
  'refuses %j with its line',
  (line) => {
    expect(() => parsePackageList(`ok\n${line}\n`, 'host.txt')).toThrow(
      expect.objectContaining({ code: 'format.syntax', message: expect.stringContaining('host.txt:2') }),
    );
  },
);
