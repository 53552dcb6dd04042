import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecipe, recipeJsonSchema } from '../../src/spec/recipe-spec.ts';
import { INSTALLATION } from '../../src/wiring.ts';

const SCHEMA = join(INSTALLATION, 'docs/schema/recipe.schema.json');

test('a recipe is filled in', () => {
  const recipe = parseRecipe(
    `name: web
extends: node
packages: [nginx-light]
files:
  - { path: /etc/motd, content: "hello\\n", mode: "0640" }
users:
  - { name: ops, keys: [ssh-ed25519 AAAA ops] }
disk: { size: 3GiB }
`,
    'web.yaml',
  );
  expect(recipe).toMatchObject({
    mirrors: [],
    files: [{ path: '/etc/motd', mode: '0640' }],
    users: [{ name: 'ops', groups: [] }],
    disk: { size: 3 * 1024 ** 3 },
  });
});

test.each([
  ['files:\n  - { path: etc/motd, content: a }', /web\.yaml:3: files\[0\]\.path: must be an absolute path/],
  ['files:\n  - { path: /etc/../motd, content: a }', /files\[0\]\.path: must be an absolute path/],
  ['files:\n  - { path: /etc/motd }', /web\.yaml:3: files\[0\]: a file has exactly one of content, source and link/],
  ['files:\n  - { path: /a, content: a, link: b }', /exactly one of/],
  ['files:\n  - { path: /a, source: ../b }', /files\[0\]\.source: must be a relative path/],
  ['files:\n  - { path: /a, link: b, mode: "0644" }', /files\[0\]\.mode: a symbolic link has no mode/],
  ['files:\n  - { path: /a, content: b, mode: "0999" }', /must be octal digits/],
  ['users:\n  - { name: "Root User" }', /users\[0\]\.name: must be a user name/],
  ['users:\n  - { name: ops, keys: ["secret"] }', /must be a public key/],
  [
    'files:\n  - { path: /a, content: b }\n  - { path: /a, link: c }',
    /web\.yaml:4: files\[1\]\.path: \/a is there already: files\[0\]/,
  ],
  [
    'files:\n  - { path: /a/b, content: c }\n  - { path: /a, content: b }',
    /:3: .*\/a\/b lies below \/a, which is a file/,
  ],
  ['timezone: Etc/UTC\nfiles:\n  - { path: /etc/localtime, link: a }', /:4: .*there already: timezone: writes it/],
  ['users:\n  - { name: ops }\n  - { name: ops }', /:4: users\[1\]\.name: ops is there already/],
  ['enable: [nginx]', /enable\[0\]: must be a unit, as nginx.service/],
  ['installer: { disk: sda }', /installer\.disk: must be serial=, wwn=/],
  ['installer: { end: eject }', /installer\.end/],
  ['disk: { size: 2GB }', /disk\.size: must be whole MiB or GiB/],
  ['disk: { size: 2GiB, partitions: [{ name: efi, size: 1GiB, mount: /a }] }', /partitions\[0\]\.name: is taken/],
  ['disk: { size: 2GiB, partitions: [{ name: a, size: 1GiB }] }', /partitions\[0\]\.mount: an ext4 needs a place/],
  ['disk: { size: 2GiB, partitions: [{ name: a, size: 1GiB, use: swap, mount: /a }] }', /\.mount: swap has no place/],
  [
    'disk: { size: 2GiB, partitions: [{ name: a, size: 1GiB, mount: /usr/local }] }',
    /\.mount: is of the root file system/,
  ],
  [
    'disk: { size: 2GiB, partitions: [{ name: a, size: 1GiB, mount: /a, options: "a b" }] }',
    /\.options: must be as in fstab\(5\)/,
  ],
  [
    'disk:\n  size: 2GiB\n  partitions:\n    - { name: a, size: 1GiB, mount: /a }\n    - { name: a, size: 1GiB, mount: /b }',
    /:6: disk\.partitions\[1\]\.name: a is there already/,
  ],
  ['packages: ["a; rm -rf /"]', /packages\[0\]: must be a plain name/],
  ['cmdline: "a\\nb"', /cmdline: must be one line/],
  ['outputs: [floppy]', /outputs\[0\]/],
  ['build: { type: dark }', /build\.type/],
  ['build: { type: connected, url: "http://a/" }', /build\.url: is for darksite alone/],
  ['build: { type: darksite, url: "ftp://a/" }', /build\.url: must be the URL of a channel/],
  ['payload:\n  - { at: /srv }', /payload\[0\]: a payload has exactly one of mirror and source/],
  ['payload:\n  - { mirror: a, source: b, at: /srv }', /exactly one of mirror and source/],
  ['payload:\n  - { mirror: a, at: srv }', /payload\[0\]\.at: must be an absolute path/],
  ['passwords: yes', /web\.yaml:2: passwords: is not known here/],
])('refuses %s', (text, words) => {
  expect(() => parseRecipe(`name: web\n${text}\n`, 'web.yaml')).toThrow(words);
});

test('the shipped recipes are sound, and named as their files', async () => {
  const folder = join(INSTALLATION, 'recipes');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files)
    expect(`${parseRecipe(await readFile(join(folder, file), 'utf8'), file).name}.yaml`).toBe(file);
});

test('the schema for editors is that of the code', async () => {
  const text = `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`;
  if (process.env.KUBEDOS_WRITE_SCHEMA) await writeFile(SCHEMA, text);
  expect(JSON.parse(await readFile(SCHEMA, 'utf8'))).toEqual(JSON.parse(text));
});

const MEDIA = 'mirror: vendor-media, path: a.iso, family: debian, answers: preseed.cfg';

test("a recipe of a vendor's medium", () => {
  expect(parseRecipe(`name: site\nmedia: { ${MEDIA}, payload: [{ mirror: own }] }\n`, 'site.yaml').media).toEqual({
    ...{ mirror: 'vendor-media', path: 'a.iso', family: 'debian', answers: 'preseed.cfg', cmdline: '' },
    payload: [{ mirror: 'own' }],
  });
});

test.each([
  [`media: { ${MEDIA} }\npackages: [vim]`, /site\.yaml:3: packages: does not go with `media:`/],
  [`media: { ${MEDIA} }\nextends: node`, /extends: does not go with/],
  [`media: { ${MEDIA}, payload: [{}] }`, /payload\[0\]: a payload is either a mirror or a source/],
  [`media: { ${MEDIA}, payload: [{ source: a }] }`, /payload\[0\]: a source needs `at:`/],
  [`media: { ${MEDIA}, payload: [{ mirror: own, at: ../a }] }`, /payload\[0\]\.at: must be a relative path/],
  [`media: { ${MEDIA}, cmdline: "a'b" }`, /cmdline: must have none of/],
  [`media: { ${MEDIA.replace('debian', 'suse')} }`, /media\.family/],
])('refuses %s', (text, words) => {
  expect(() => parseRecipe(`name: site\n${text}\n`, 'site.yaml')).toThrow(words);
});
