import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/exec/run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubedos-layers-'));
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, file), join(folder, file));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lints a checkout that holds just these files; gives the names of the rules that they break. */
async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout } = await run(
    [process.execPath, bin, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
    {
      cwd: folder,
      timeoutMs: 60_000,
      maxOutputBytes: 4 << 20,
    },
  );
  const result: { summary: { violations: { rule: { name: string } }[] } } = JSON.parse(stdout.toString());
  return [...new Set(result.summary.violations.map((violation) => violation.rule.name))].sort();
}

const NET = { 'src/net/fetcher.ts': 'export const fetcher = 1;\n' };

describe('the layers', () => {
  it('accepts imports that point up', async () => {
    expect(
      await broken({
        ...NET,
        'src/errors.ts': 'export const e = 1;\n',
        'src/sync/a.ts':
          "import { fetcher } from '../net/fetcher.ts';\nimport { e } from '../errors.ts';\nexport const a = fetcher + e;\n",
      }),
    ).toEqual([]);
  });

  it('refuses an import against the direction', async () => {
    expect(
      await broken({
        'src/store/a.ts': "import { b } from '../sync/b.ts';\nexport const a = b;\n",
        'src/sync/b.ts': 'export const b = 1;\n',
      }),
    ).toEqual(['effects-import-below']);
  });

  it('refuses the pure layer anything below it, and I/O', async () => {
    expect(
      await broken({
        ...NET,
        'src/formats/a.ts':
          "import { fetcher } from '../net/fetcher.ts';\nimport { readFileSync } from 'node:fs';\nexport const a = [fetcher, readFileSync];\n",
      }),
    ).toEqual(['pure-does-io', 'pure-imports-below']);
  });

  it('refuses a cycle', async () => {
    expect(
      await broken({
        'src/store/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b();\n",
        'src/store/b.ts': "import { a } from './a.ts';\nexport const b = (): number => a();\n",
      }),
    ).toEqual(['cycle']);
  });

  it('refuses a dark folder that imports net, directly or through another module', async () => {
    expect(
      await broken({
        ...NET,
        'src/bundle/a.ts': "import { fetcher } from '../net/fetcher.ts';\nexport const a = fetcher;\n",
      }),
    ).toEqual(['dark-imports-net']);
    rmSync(join(folder, 'src'), { recursive: true });
    expect(
      await broken({
        ...NET,
        'src/publish/a.ts': "import { b } from '../helper.ts';\nexport const a = b;\n",
        'src/helper.ts': "import { fetcher } from './net/fetcher.ts';\nexport const b = fetcher;\n",
      }),
    ).toEqual(['dark-imports-net']);
  });

  it('refuses siblings of one layer to import each other', async () => {
    expect(
      await broken({
        'src/sync/a.ts': "import { b } from '../publish/b.ts';\nexport const a = b;\n",
        'src/publish/b.ts': 'export const b = 1;\n',
      }),
    ).toEqual(['sync-imports-sibling']);
  });

  it('refuses to start a process or to call out anywhere but in its room', async () => {
    expect(
      await broken({
        'src/sync/a.ts': "import { spawn } from 'node:child_process';\nexport const a = spawn;\n",
      }),
    ).toEqual(['processes-outside-exec']);
  });
});
