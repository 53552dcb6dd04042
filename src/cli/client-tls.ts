/** The client certificates that a spec names, read from their files. */
import { readFile, stat } from 'node:fs/promises';
import { KubedosError } from '../errors.ts';
import type { ClientTls } from '../net/types.ts';
import type { FoundSpec } from './specs.ts';

/** Group and others. */
const NOT_OWNER = 0o077;

/** One for each host of https of an upstream that has one. `spec.invalid` where a file cannot be used. */
export async function clientTls({ spec, file }: FoundSpec): Promise<ClientTls[]> {
  const found: ClientTls[] = [];
  if (spec.type !== 'yum') return found;
  const read = async (path: string, secret = false): Promise<Buffer> => {
    try {
      if (secret && ((await stat(path)).mode & NOT_OWNER) !== 0)
        throw new KubedosError('spec.invalid', `${file}: the key ${path} may be read by others`, {
          hint: `chmod 600 ${path}`,
        });
      return await readFile(path);
    } catch (cause) {
      if (cause instanceof KubedosError) throw cause;
      throw new KubedosError('spec.invalid', `${file}: ${path} cannot be read`, { cause });
    }
  };
  for (const { client, url = [] } of spec.upstreams) {
    if (client === undefined) continue;
    const [certificate, key] = [await read(client.certificate), await read(client.key, true)];
    const ca = client.ca === undefined ? undefined : await read(client.ca);
    for (const root of url)
      if (root.startsWith('https://')) found.push({ origin: new URL(root).origin, certificate, key, ca });
  }
  return found;
}
