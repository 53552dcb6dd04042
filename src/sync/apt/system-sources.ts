/** Reads which archives this host's apt uses (sources.list(5)). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, KubedosError } from '../../errors.ts';
import { parseStanzasOf } from '../../formats/apt/deb822.ts';
import { words } from '../../formats/apt/syntax.ts';

export interface AptSource {
  /** http, https or file alone: others are passed over. Without a slash at the end. */
  readonly url: string;
  readonly suite: string;
}

/** Sources of binary packages in `sources.list` and `sources.list.d/` of the folder, in apt's order. Files that cannot be read or parsed are passed over. */
export async function aptSources(folder: string): Promise<AptSource[]> {
  const files = ['sources.list'];
  const parts = (await orNothing(() => readdir(join(folder, 'sources.list.d')))) ?? [];
  for (const name of parts.sort()) if (/\.(?:list|sources)$/.test(name)) files.push(`sources.list.d/${name}`);
  const found: AptSource[] = [];
  for (const file of files) {
    const text = await orNothing(() => readFile(join(folder, file), 'utf8'));
    if (text === undefined) continue;
    try {
      found.push(...(file.endsWith('.sources') ? parseSources(text, file) : parseList(text)));
    } catch (error) {
      if (!(error instanceof KubedosError)) throw error;
    }
  }
  return found;
}

/** Roots that have all of the suites. */
export function rootsOfSuites(sources: readonly AptSource[], suites: readonly string[]): string[] {
  const urls = [...new Set(sources.map(({ url }) => url))];
  return urls.filter((url) =>
    suites.every((suite) => sources.some((each) => each.url === url && each.suite === suite)),
  );
}

/** The deb822 form. */
export function parseSources(text: string, origin: string): AptSource[] {
  const found: AptSource[] = [];
  for (const stanza of parseStanzasOf(withoutComments(text), origin)) {
    if (stanza.get('Enabled')?.toLowerCase() === 'no' || !words(stanza.get('Types')).includes('deb')) continue;
    for (const uri of words(stanza.get('URIs'))) {
      const url = usable(uri);
      if (url !== undefined) for (const suite of words(stanza.get('Suites'))) found.push({ url, suite });
    }
  }
  return found;
}

/** The form of one line a source: `deb [options] uri suite component…`. */
export function parseList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.replace(/#.*/, ''));
    const url = usable(match?.[1] ?? '');
    return url === undefined ? [] : [{ url, suite: match?.[2] ?? '' }];
  });
}

/** Comments stand on lines of their own, also within a stanza. */
const withoutComments = (text: string): string => text.replace(/^#.*\n?/gm, '');

function usable(uri: string): string | undefined {
  const url = uri.startsWith('file:/') ? `file:///${uri.slice(5).replace(/^\/+/, '')}` : uri;
  return /^(?:https?:\/\/[^@]+|file:\/\/\/.*)$/.test(url) ? url.replace(/\/+$/, '') : undefined;
}

async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
