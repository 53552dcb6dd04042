/** docs/formats.md names exactly the members that documents have. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createReceipt } from '../../src/bundle/receipt.ts';
import { makePair } from '../support/bundle-pair.ts';
import { randomFiles } from '../support/random-files.ts';
import { setMirror, takeSnapshot } from '../support/sender-store.ts';

let page = '';

beforeAll(async () => {
  page = await readFile(new URL('../../docs/formats.md', import.meta.url), 'utf8');
});

/** Members in the first table after a heading. */
function members(heading: string): string[] {
  const section = page.slice(page.indexOf(`${heading}\n`) + heading.length);
  const table = /\n\| member \| meaning \|\n\|[-|]+\n((?:\|.*\n)+)/.exec(section)?.[1] ?? '';
  const names = table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''));
  return names.sort();
}

test('bundle, snapshot, root and receipt', async () => {
  const pair = await makePair();
  await setMirror(pair.sender.store, 'debian', randomFiles(5, 500));
  const snapshot = await takeSnapshot(pair.sender, 1, 'stable');
  const { bundle, folders } = await pair.send();
  await pair.take();
  const { receipt } = await createReceipt({ ...pair.receiver, now: pair.importDeps.now });
  const root = JSON.parse(await readFile(join(folders[0] ?? '', 'roots/1.json'), 'utf8'));
  const keys = (value: object): string[] => Object.keys(value).sort();
  expect(members('### bundle.json')).toEqual(keys(bundle.root));
  expect(members('## Snapshot: `kubedos-snapshot/1`')).toEqual(keys(snapshot.document));
  expect(members('Each mirror:')).toEqual(keys(snapshot.document.mirrors[0] ?? {}));
  expect(members('## Root document: `kubedos-root/1`')).toEqual(keys(root));
  expect(members('## Receipt: `kubedos-receipt/1`')).toEqual(keys(receipt));
  const [volume] = folders;
  const document = JSON.parse(await readFile(join(volume ?? '', 'volume.json'), 'utf8'));
  for (const name of keys(document)) expect(page).toContain(`\`${name}\``);
});
