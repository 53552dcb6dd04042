// Installs what a fresh clone lacks: Debian packages, then npm packages. Plain JavaScript, since nothing is there yet.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** better-sqlite3 and zstd-napi are compiled where no binary can be fetched. */
const COMPILERS = [
  ['g++', 'g++'],
  ['make', 'make'],
  ['python3', 'python3'],
];

const onPath = (tool) => spawnSync('sh', ['-c', `command -v "$1"`, 'sh', tool], { stdio: 'ignore' }).status === 0;

/** Installs Debian packages by apt-get, by sudo where need be; says what to do where that is not possible. */
export function installDebian(packages) {
  if (packages.length === 0) return;
  const by = process.getuid?.() === 0 ? [] : ['sudo'];
  if (!onPath('apt-get') || (by.length > 0 && !onPath('sudo'))) {
    console.error(
      `kubedos: these packages are missing: ${packages.join(' ')}; install them, then run the command again`,
    );
    process.exit(4);
  }
  console.error(`kubedos: installing Debian packages: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => {
    const [command, ...rest] = [...by, 'apt-get', '-q', '-y', ...args];
    const done = spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (done.status !== 0) {
      console.error(`kubedos: apt-get ${args.join(' ')} failed; repair it, then run the command again`);
      process.exit(1);
    }
  };
  apt('update');
  apt('install', '--no-install-recommends', ...packages);
}

/** Those of the packages that dpkg does not have installed. */
export function missingDebian(packages) {
  if (packages.length === 0 || !onPath('dpkg-query')) return [];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what dpkg-query fills in
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${Package}\n', ...packages], {
    encoding: 'utf8',
  });
  const installed = new Set(
    asked.stdout
      .split('\n')
      .filter((line) => line.startsWith('ii'))
      .map((line) => line.split(' ').at(-1)),
  );
  return packages.filter((name) => !installed.has(name));
}

/** npm packages as package-lock.json names them; a stamp tells the next start that they are all there. */
export function setUp() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`kubedos: needs Node 20.19 or newer, this is ${process.versions.node}`);
    process.exit(4);
  }
  const stamp = `${root}node_modules/.kubedos-stamp`;
  const want = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .update(`${process.versions.modules} ${process.arch}`)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  installDebian(COMPILERS.filter(([tool]) => !onPath(tool)).map(([, name]) => name));
  console.error('kubedos: installing npm packages (compiles two of them: about three minutes the first time)');
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  execFileSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  writeFileSync(stamp, want);
}
