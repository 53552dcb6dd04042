import { expect, test } from 'vitest';
import { changeFileList, createFileList, type FileListDeps, isFileList } from '../../src/publish/file-list.ts';
import { NOON, putMirror, sha256Of, temporaryStore } from '../support/temporary-store.ts';

async function list(): Promise<FileListDeps> {
  const deps = { store: await temporaryStore(), now: () => NOON };
  await createFileList(deps, 'media');
  return deps;
}

const file = (path: string, content: string) => ({ path, source: [Buffer.from(content)] });

test('files come and go; the same again changes nothing', async () => {
  const deps = await list();
  const first = await changeFileList(deps, 'media', { add: [file('b.iso', 'b'), file('a.iso', 'a')] });
  expect(first).toMatchObject({ changed: true, manifest: { files: 2, bytes: 2 } });
  expect(isFileList(await deps.store.heads.read('media'))).toBe(true);
  const again = await changeFileList(deps, 'media', { add: [file('a.iso', 'a')] });
  expect(again).toMatchObject({ changed: false, unchanged: [{ path: 'a.iso', sha256: sha256Of('a') }] });
  const less = await changeFileList(deps, 'media', { remove: ['b.iso'] });
  expect(less).toMatchObject({ removed: [{ path: 'b.iso' }], manifest: { files: 1 } });
  const last = await changeFileList(deps, 'media', { remove: ['a.iso'] });
  expect(last.manifest.files).toBe(0);
});

test('other bytes under the same name are refused, unless by force', async () => {
  const deps = await list();
  await changeFileList(deps, 'media', { add: [file('a.iso', 'a')] });
  const add = [file('a.iso', 'other'), file('b.iso', 'b')];
  await expect(changeFileList(deps, 'media', { add })).rejects.toMatchObject({ code: 'repo.conflict' });
  expect((await deps.store.heads.read('media'))?.manifest.files).toBe(1);
  expect(await changeFileList(deps, 'media', { add, force: true })).toMatchObject({ manifest: { files: 2, bytes: 6 } });
});

test('what is no list of own files is left alone', async () => {
  const store = await temporaryStore();
  const deps = { store, now: () => NOON };
  await putMirror(store, 'image-node', { 'node.raw': 'raw' }, { form: 'local', memory: { snapshot: '1-a' } });
  await expect(createFileList(deps, 'image-node')).rejects.toMatchObject({ code: 'store.exists' });
  const change = { add: [file('x', 'x')] };
  await expect(changeFileList(deps, 'image-node', change)).rejects.toMatchObject({ code: 'repo.not-local' });
  await expect(changeFileList(deps, 'none', change)).rejects.toMatchObject({ code: 'repo.not-local' });
});

test('names that lead out, and files that are not there', async () => {
  const deps = await list();
  const add = [file('../x', 'x')];
  await expect(changeFileList(deps, 'media', { add })).rejects.toMatchObject({ code: 'format.path' });
  await expect(changeFileList(deps, 'media', { remove: ['x'] })).rejects.toMatchObject({ code: 'store.not-found' });
});
