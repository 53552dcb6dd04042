/** Measures the rows, prints a table and, without names as arguments, writes docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { INSTALLATION } from '../../src/wiring.ts';
import { bake } from './rows/bake.ts';
import { bundles } from './rows/bundles.ts';
import { coldSync } from './rows/cold-sync.ts';
import { largeArchive } from './rows/large-archive.ts';
import { million } from './rows/million.ts';
import { publish } from './rows/publish.ts';
import { rpm } from './rows/rpm.ts';
import { rpmMemory } from './rows/rpm-memory.ts';
import { rpmSync } from './rows/rpm-sync.ts';
import { serve } from './rows/serve.ts';
import type { Figure, Row } from './types.ts';

const ROWS: readonly Row[] = [largeArchive, coldSync, publish, bundles, serve, rpm, rpmSync, bake, rpmMemory, million];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => name !== 'all' && !ROWS.some((row) => row.name === name));
if (unknown.length > 0 || chosen.includes('--help')) {
  console.error('usage: npm run bench [-- all | ROW...]');
  for (const row of ROWS)
    console.error(`  ${row.name.padEnd(15)}${row.about}${row.onDemand ? ' (by name or all)' : ''}`);
  process.exit(2);
}
const all = chosen.includes('all');
const rows = ROWS.filter((row) => all || (chosen.length === 0 ? row.onDemand !== true : chosen.includes(row.name)));

const figures: Figure[] = [];
for (const row of rows) {
  console.error(`bench: ${row.name}: ${row.about}`);
  const folder = await mkdtemp(join(tmpdir(), `kubedos-bench-${row.name}-`));
  try {
    for (const figure of await row.measure({ folder, say: (line) => console.error(`bench: ${row.name}: ${line}`) })) {
      figures.push(figure);
      console.error(`bench: ${figure.work}: ${figure.ours}, ${figure.against} ${figure.theirs}`);
    }
  } catch (error) {
    console.error(`bench: ${row.name} failed:`, error);
    process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const table = [
  '| work | kubedos | against | | ratio | reach | |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...figures.map(({ work, ours, against, theirs, ratio, reach, reached }) => {
    const times = ratio === undefined ? '' : `${ratio.toFixed(ratio < 10 ? 2 : 0)}×`;
    return `| ${work} | ${ours} | ${against} | ${theirs} | ${times} | ${reach} | ${reached ? 'reached' : '**missed**'} |`;
  }),
].join('\n');
console.log(table);

// A table of a part of the work is for the eye alone.
if (chosen.length === 0 || all) {
  const file = join(INSTALLATION, 'docs/performance.md');
  const begin = '<!-- npm run bench writes from here -->';
  const head = readFileSync(file, 'utf8').split(begin)[0];
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  writeFileSync(file, `${head}${begin}\n\n${machine}\n\n${table}\n`);
}
