// `npm run bench`: installs what is compared against, builds, then measures. Row names as arguments choose.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildIfStale } from '../../src/build.mjs';
import { installDebian, missingDebian, setUp } from '../../src/set-up.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
setUp();
installDebian(
  missingDebian([
    'aptly',
    'createrepo-c',
    'curl',
    'dnf',
    'dnf-plugins-core',
    'gnupg',
    'nginx-light',
    'python3-createrepo-c',
    'time',
    'wrk',
  ]),
);
buildIfStale();
const argv = ['--import', 'tsx', 'test/bench/run.ts', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' }).status ?? 1);
