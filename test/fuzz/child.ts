/** Runs rounds of parsers until its time is up; what it finds it prints, a line of JSON each. Started by watch.ts. */
import { openSync, writeSync } from 'node:fs';
import { minimised } from './minimise.ts';
import { PARSERS } from './parsers.ts';
import { inputOf, kindOf, type Parser, violation } from './property.ts';
import { type ChildJob, MAX_DEFECTS, type Report } from './watch.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as ChildJob;
const status = openSync(job.statusFile, 'w');
const round = Buffer.alloc(4);
let rejected: unknown;
process.on('unhandledRejection', (reason) => {
  rejected = reason;
});
const say = (report: Report): void => void writeSync(1, `${JSON.stringify(report)}\n`);

for (const { name, from, ms } of job.parsers) {
  const parser = PARSERS.find((each) => each.name === name);
  if (parser === undefined) throw new Error(`no parser ${name}`);
  await rounds(parser, from, Date.now() + ms);
}

async function rounds(parser: Parser, from: number, until: number): Promise<void> {
  const known = new Set<string>();
  let at = from;
  for (; Date.now() < until && known.size < MAX_DEFECTS; at++) {
    round.writeUInt32LE(at);
    writeSync(status, round, 0, 4, 0);
    const input = inputOf(parser, job.seed, at);
    let what = await violation(parser, input);
    if (at % 100 === 0 || what !== undefined) await new Promise((resolve) => setImmediate(resolve));
    if (rejected !== undefined)
      what = `unhandled rejection: ${rejected instanceof Error ? rejected.stack : String(rejected)}`;
    rejected = undefined;
    if (what === undefined || known.has(kindOf(what))) continue;
    known.add(kindOf(what));
    const { bytes } = await minimised(parser, input, what, job.minimiseMs);
    say({ kind: 'defect', parser: parser.name, round: at, what, base64: bytes.toString('base64') });
  }
  say({ kind: 'done', parser: parser.name, rounds: at - from });
}
