import { expect, test } from 'vitest';
import { clientRepositories } from '../../../src/publish/yum/client-config.ts';

const BASE = {
  name: 'example-9',
  url: 'http://mirror.example.org/c/stable/example-9/',
  keysFile: 'KEYS.asc',
};

test('a section for each repository, with what is signed there', () => {
  const repositories = [
    { folder: '', signedMetadata: true, signedPackages: false },
    { folder: 'BaseOS/x86_64/os', signedMetadata: false, signedPackages: true },
    { folder: 'odd name/+', signedMetadata: true, signedPackages: true },
  ];
  expect(clientRepositories({ ...BASE, repositories })).toBe(`# example-9, by kubedos
[example-9]
name=example-9
baseurl=http://mirror.example.org/c/stable/example-9/
enabled=1
gpgcheck=0
repo_gpgcheck=1
gpgkey=http://mirror.example.org/c/stable/example-9/KEYS.asc

[example-9-BaseOS-x86_64-os]
name=example-9 BaseOS/x86_64/os
baseurl=http://mirror.example.org/c/stable/example-9/BaseOS/x86_64/os/
enabled=1
gpgcheck=1
repo_gpgcheck=0
gpgkey=http://mirror.example.org/c/stable/example-9/KEYS.asc

[example-9-odd_name-_]
name=example-9 odd name/+
baseurl=http://mirror.example.org/c/stable/example-9/odd%20name/%2B/
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=http://mirror.example.org/c/stable/example-9/KEYS.asc
`);
});

test('a URL that would break out of its line is refused', () => {
  const repositories = [{ folder: '', signedMetadata: true, signedPackages: true }];
  const refused = () => clientRepositories({ ...BASE, url: 'http://a/\ngpgcheck=0\n', repositories });
  expect(refused).toThrow(expect.objectContaining({ code: 'usage.argument' }));
});
