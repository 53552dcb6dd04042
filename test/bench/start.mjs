// `npm run bench`: installs what is compared against, builds, then measures. Row names as arguments choose.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installDebian, missingDebian, setUp } from '../../src/set-up.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
setUp();
installDebian(missingDebian(['aptly', 'curl', 'gnupg', 'nginx-light', 'time', 'wrk']));
for (const argv of [['src/build.mjs'], ['--import', 'tsx', 'test/bench/run.ts', ...process.argv.slice(2)]]) {
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
