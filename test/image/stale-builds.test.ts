import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeStaleBuilds } from '../../src/image/stale-builds.ts';
import { withScratch } from '../../src/store/scratch.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubedos-stale-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const store = { file: async () => dir };

/** A process that is no more. */
async function ended(): Promise<number> {
  const child = spawn('true');
  await once(child, 'close');
  return child.pid as number;
}

test('what a killed build left is removed, not what is being built, here or on another host', async () => {
  const pid = await ended();
  await withScratch(store, 'bake', async (folder) => {
    const stale = basename(folder).replace(`-${process.pid}-`, `-${pid}-`);
    const kept = [basename(folder), stale.replace('bake-', 'bake-other.'), stale.replace('bake-', 'sign-'), 'bake-1'];
    for (const name of [stale, ...kept]) mkdirSync(join(dir, name, 'root'), { recursive: true });
    await removeStaleBuilds(store);
    expect(readdirSync(dir).sort()).toEqual(kept.sort());
  });
});
