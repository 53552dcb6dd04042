// `npm run build`: src as JavaScript under dist/, which is what the package ships, and what `npm start` runs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Beside the one of set-up.mjs: the package ships all of dist/. */
const stamp = `${root}node_modules/.kubedos-built`;

/** `check: false`: the types are not checked, which saves most of the time. */
export function build({ check = true } = {}) {
  const from = sourcesSum();
  // First of all: a build that is interrupted must not pass for one.
  rmSync(stamp, { force: true });
  rmSync(`${root}dist`, { recursive: true, force: true });
  const options = ['-p', `${root}tsconfig.build.json`, ...(check ? [] : ['--noCheck'])];
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, ...options], { stdio: 'inherit' });
  chmodSync(`${root}dist/cli/main.js`, 0o755);
  writeFileSync(stamp, from);
}

/** Builds where dist/ is of other sources than those that lie here. */
export function buildIfStale() {
  if (existsSync(`${root}dist/cli/main.js`) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesSum())
    return;
  console.error('kubedos: building');
  build({ check: false });
}

function sourcesSum() {
  const sum = createHash('sha256');
  const add = (path) =>
    sum
      .update(`${path}\n`)
      .update(readFileSync(join(root, path)))
      .update('\n');
  for (const path of readdirSync(`${root}src`, { recursive: true }).sort())
    if (path.endsWith('.ts')) add(join('src', path));
  for (const path of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) add(path);
  return sum.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
