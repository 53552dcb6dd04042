/** Content types by the ending of the name. Compressed indexes are files of their own: never a Content-Encoding. */
const BY_ENDING: Readonly<Record<string, string>> = {
  asc: 'application/pgp-signature',
  bz2: 'application/x-bzip2',
  buildinfo: 'text/plain; charset=utf-8',
  changes: 'text/plain; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ddeb: 'application/vnd.debian.binary-package',
  deb: 'application/vnd.debian.binary-package',
  dsc: 'text/plain; charset=utf-8',
  efi: 'application/efi',
  gif: 'image/gif',
  gpg: 'application/pgp-signature',
  gz: 'application/gzip',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  iso: 'application/vnd.efi.iso',
  jpg: 'image/jpeg',
  json: 'application/json',
  log: 'text/plain; charset=utf-8',
  lzma: 'application/x-lzma',
  md: 'text/markdown; charset=utf-8',
  pdf: 'application/pdf',
  png: 'image/png',
  repo: 'text/plain; charset=utf-8',
  rpm: 'application/x-rpm',
  sig: 'application/pgp-signature',
  sources: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tgz: 'application/gzip',
  txt: 'text/plain; charset=utf-8',
  udeb: 'application/vnd.debian.binary-package',
  webp: 'image/webp',
  xml: 'application/xml',
  xz: 'application/x-xz',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
  zst: 'application/zstd',
};

/** Names without an ending that apt repositories and installers are full of. */
const PLAIN = /^(In)?Release$|^(Packages|Sources|Index|MD5SUMS|SHA\d+SUMS|README|Contents-[\w-]+|Translation-[\w-]+)$/;

export function contentTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  if (dot > 0) {
    const ending = name.slice(dot + 1).toLowerCase();
    const known = Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined;
    if (known !== undefined) return known;
  }
  return PLAIN.test(name) ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}
