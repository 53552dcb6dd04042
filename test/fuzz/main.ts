/** `npm run fuzz`: see CONTRIBUTING.md. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PARSERS } from './parsers.ts';
import { fuzz } from './watch.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, keep: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => !PARSERS.some((parser) => parser.name === name));
if (unknown.length > 0)
  throw new Error(`no parser ${unknown.join(', ')}; there are ${PARSERS.map(({ name }) => name).join(', ')}`);
const chosen = PARSERS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seed = values.seed ?? randomBytes(4).toString('hex');
const ms = (Number(values.minutes) * 60_000) / chosen.length;
console.log(`seed ${seed}, ${chosen.length} parsers, ${Math.round(ms / 100) / 10} s each`);
let total = 0;
let failed = 0;
for await (const { parser, rounds, defects } of fuzz(chosen, { seed, ms })) {
  total += rounds;
  failed += defects.length;
  console.log(`${parser}: ${rounds} runs, ${defects.length} defects`);
  for (const { round, what, bytes } of defects) {
    console.log(`  seed ${seed} round ${round}: ${what.split('\n').slice(0, 6).join('\n    ')}`);
    console.log(`  ${bytes.length} bytes: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`);
    if (!values.keep) continue;
    const folder = new URL(`cases/${parser}/`, import.meta.url);
    mkdirSync(folder, { recursive: true });
    const file = new URL(`found-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`, folder);
    writeFileSync(file, bytes);
    console.log(`  kept as ${file.pathname}`);
  }
}
console.log(`${total} runs, ${failed} defects`);
process.exit(failed === 0 ? 0 : 1);
