// `npm test`: installs what the tests need, runs all of them, prints `N passed, N failed` last.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDebian, missingDebian, setUp } from '../src/set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const full = process.argv.includes('--full');
const chosen = process.argv.slice(2).filter((argument) => argument !== '--full');

setUp();
const wanted = readFileSync(join(root, 'test/support/debian-packages.txt'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '');
installDebian(missingDebian(wanted));

const folder = mkdtempSync(join(tmpdir(), 'kubedos-test-'));
const report = join(folder, 'report.json');
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const run = spawnSync(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...chosen],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, KUBEDOS_TEST_FULL: full ? '1' : '' } },
);

if (!existsSync(report)) {
  console.error('the test runner ended without a report');
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const result = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true, force: true });
const skipped = result.testResults
  .flatMap((file) => file.assertionResults)
  .filter((test) => test.status !== 'passed' && test.status !== 'failed')
  .map((test) => test.fullName);
// On Debian as root nothing is missing that could not be installed: a skipped test is a failed one.
const strict = process.getuid?.() === 0 && existsSync('/etc/debian_version') && chosen.length === 0;
for (const name of skipped) console.log(`skipped: ${name}`);
// A file that cannot even be loaded counts, and so does a run that vitest itself calls failed.
const brokenFiles = result.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
).length;
let failed = result.numFailedTests + brokenFiles + (strict ? skipped.length : 0);
if (failed === 0 && run.status !== 0) failed = 1;
console.log(`${result.numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 && result.numPassedTests > 0 ? 0 : 1);
