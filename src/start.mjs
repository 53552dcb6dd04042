// `npm start` on a machine that may have nothing but Debian and Node: sets up what is missing, then runs `kubedos start`.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './set-up.mjs';

setUp();
const main = fileURLToPath(new URL('./cli/main.ts', import.meta.url));
const child = spawn(process.execPath, ['--import', 'tsx', main, 'start', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group; a supervisor sends SIGTERM to this process alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 130 : 1);
});
