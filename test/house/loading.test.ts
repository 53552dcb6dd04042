import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { INSTALLATION } from '../../src/wiring.ts';

/** Packages of CommonJS that a process has loaded once it has imported these modules. */
function loadedBy(modules: readonly string[]): string[] {
  const script = `for (const each of ${JSON.stringify(modules)}) await import(each);
    const { createRequire } = await import('node:module');
    const files = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify(files.flatMap((file) => /.*node_modules.([^/]+)/.exec(file)?.[1] ?? [])));`;
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, argv, { cwd: INSTALLATION }).toString());
}

test('xz is loaded where there is some, and not by those who publish and sync', () => {
  const everyday = ['publish/publish-apt.ts', 'publish/yum/local-repo.ts', 'sync/yum/sync-verbatim.ts'];
  expect(loadedBy(everyday.map((path) => `./src/${path}`))).not.toContain('lzma-native');
  expect(loadedBy(['lzma-native'])).toContain('lzma-native');
});
