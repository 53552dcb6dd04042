// `npm start` on a machine that may have nothing but Debian and Node: sets up what is missing, then runs `kubedos start`.
import { fileURLToPath } from 'node:url';
import { buildIfStale } from './build.mjs';
import { setUp } from './set-up.mjs';

setUp();
buildIfStale();
const main = new URL('../dist/cli/main.js', import.meta.url);
process.argv.splice(1, 1, fileURLToPath(main), 'start');
await import(main.href);
