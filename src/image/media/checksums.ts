/** The checksums that vendors' media carry of themselves. Pure. */

/**
 * `md5sum.txt` (md5sum(1)): lines of what changed are replaced, of what is new added, of `without` taken out; the rest is
 * the vendor's. `changed`: absolute path → MD5.
 */
export function changeMd5sums(
  text: string,
  changed: ReadonlyMap<string, string>,
  without: ReadonlySet<string>,
): string {
  const lines = text.split('\n').filter((line) => {
    const path = /^[0-9a-f]{32} [ *]\.?(\/.*)$/.exec(line)?.[1];
    return line !== '' && (path === undefined || !(changed.has(path) || without.has(path)));
  });
  const ours = [...changed].map(([path, md5]) => `${md5}  .${path}`);
  return `${[...lines, ...ours].join('\n')}\n`;
}

/** `.treeinfo` (productmd, "checksums"): `images/efiboot.img = sha256:…`; lines of what changed are replaced. */
export function changeTreeinfo(text: string, changed: ReadonlyMap<string, string>): string {
  return text.replace(/^([^\s=[][^=\n]*?)(\s*=\s*)sha256:[0-9a-f]{64}$/gm, (line, path: string, between: string) => {
    const sha256 = changed.get(`/${path}`);
    return sha256 === undefined ? line : `${path}${between}sha256:${sha256}`;
  });
}
