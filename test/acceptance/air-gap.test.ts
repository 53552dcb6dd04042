/**
 * The main job on real Debian: the shipped spec from this machine's own upstream, a bundle, and a dark side in a
 * network namespace that has loopback and no route. What was fetched is kept between runs in a cache folder.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';

const CACHE =
  process.env.KUBEDOS_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kubedos-test');
const CONNECTED = join(CACHE, 'connected');
const MIRROR = 'debian-12-bootable';
const MINUTE = 60_000;

let dir: string;
let rootKey: string;

const argvOf = (data: string, args: readonly string[]): string[] => [
  process.execPath,
  '--import',
  'tsx',
  join(INSTALLATION, 'src/cli/main.ts'),
  ...args,
  '--data',
  data,
];

async function kubedos(data: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(argvOf(data, args), {
    cwd: INSTALLATION,
    timeoutMs: 15 * MINUTE,
    maxOutputBytes: 16 << 20,
  });
  return stdout.toString();
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubedos-gap-'));
  mkdirSync(CACHE, { recursive: true });
  await kubedos(CONNECTED, 'start', '--once', '--quiet');
  await kubedos(CONNECTED, 'mirror', 'sync', MIRROR, '--quiet');
  await kubedos(CONNECTED, 'snapshot', 'create', '--channel', 'stable');
  rootKey = (await kubedos(CONNECTED, 'key', 'root')).trim();
}, 20 * MINUTE);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A script for a namespace with loopback alone; `K` runs kubedos, `SERVE` starts it and waits until it answers. */
function darkScript(data: string, body: string): string {
  const kubedosLine = argvOf(data, []).map((word) => `'${word}'`);
  const [node, ...rest] = kubedosLine;
  const before = rest.slice(0, 3).join(' ');
  return `set -eu
cd '${INSTALLATION}'
K() { ${node} ${before} "$@" --data '${data}'; }
ip link set lo up
test -z "$(ip route show default)"
tcpdump -i any -U -w '${dir}/dark.pcap' 2>'${dir}/tcpdump.log' & CAPTURE=$!
sleep 1
SERVER=
stop() { [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true; kill "$CAPTURE" 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT
SERVE() {
  ${node} ${before} serve --port 8480 --data '${data}' & SERVER=$!
  for _ in $(seq 100); do curl -fs http://127.0.0.1:8480/readyz >/dev/null && return 0; sleep 0.2; done
  return 1
}
${body}
`;
}

describe('the dark side', () => {
  it(
    'has the same bytes, serves them with no packet for elsewhere, and mmdebstrap installs from it',
    async () => {
      const media = join(dir, 'media');
      const dark = join(dir, 'dark');
      mkdirSync(media);
      await kubedos(
        CONNECTED,
        'bundle',
        'export',
        '--channel',
        'stable',
        '--to',
        media,
        '--volume-size',
        '100MB',
        '--quiet',
      );
      await kubedos(dark, 'init', '--trust', rootKey);
      const script = darkScript(
        dark,
        `K bundle import '${media}' --quiet
K store check --quiet
SERVE
K client-config ${MIRROR} --url http://127.0.0.1:8480 > '${dir}/dark.sources'
# apt trusts what Signed-By embeds, and nothing else is configured
mmdebstrap --mode=root --variant=minbase --aptopt='Dir::Etc::Trusted "/dev/null"' --aptopt='Dir::Etc::TrustedParts "/dev/null"' \\
  --include=systemd-sysv,openssh-server bookworm '${dir}/minbase.tar' '${dir}/dark.sources'
K bundle import '${media}' --quiet --json > '${dir}/again.json'`,
      );
      writeFileSync(join(dir, 'dark.sh'), script);
      await run(['unshare', '--net', 'sh', join(dir, 'dark.sh')], { timeoutMs: 15 * MINUTE, maxOutputBytes: 64 << 20 });

      const { stdout } = await run(['tar', '-tf', join(dir, 'minbase.tar')], {
        timeoutMs: MINUTE,
        maxOutputBytes: 16 << 20,
      });
      expect(stdout.toString()).toContain('./usr/sbin/sshd\n');
      expect(JSON.parse(readFileSync(join(dir, 'again.json'), 'utf8'))).toMatchObject({ imported: false });

      const capture = await run(
        [
          'tcpdump',
          '-nn',
          '-r',
          join(dir, 'dark.pcap'),
          'not',
          'net',
          '127.0.0.0/8',
          'and',
          'not',
          'ip6',
          'host',
          '::1',
        ],
        {
          timeoutMs: MINUTE,
          maxOutputBytes: 1 << 20,
        },
      );
      expect(capture.stdout.toString()).toBe('');
      const all = await run(['tcpdump', '-nn', '-c', '10', '-r', join(dir, 'dark.pcap')], {
        timeoutMs: MINUTE,
        maxOutputBytes: 1 << 20,
      });
      expect(all.stdout.toString()).not.toBe('');
    },
    20 * MINUTE,
  );

  it(
    'was given the lists of the connected side, object by object',
    async () => {
      const of = async (data: string): Promise<unknown> =>
        JSON.parse(await kubedos(data, 'snapshot', 'show', 'stable', '--json'));
      expect(await of(join(dir, 'dark'))).toEqual(await of(CONNECTED));
    },
    MINUTE,
  );
});

describe('the connected side', () => {
  it(
    'does not fetch again what it has',
    async () => {
      const [report] = JSON.parse(await kubedos(CONNECTED, 'mirror', 'sync', MIRROR, '--json', '--quiet'));
      expect(report).toMatchObject({ changed: false, fetched: { files: 0, bytes: 0 } });
    },
    5 * MINUTE,
  );

  it(
    'says why a package is there',
    async () => {
      expect(await kubedos(CONNECTED, 'mirror', 'why', 'libpam0g', MIRROR)).toContain('libpam0g');
    },
    MINUTE,
  );

  it(
    'finds hosts resolvable, and names what is missing',
    async () => {
      const good = join(dir, 'good.txt');
      writeFileSync(good, 'openssh-server\nlinux-image-amd64\n');
      expect(await kubedos(CONNECTED, 'darksite', 'check', good)).toContain('all would resolve');
      const bad = join(dir, 'bad.txt');
      writeFileSync(bad, 'openssh-server\nno-such-package\n');
      await expect(kubedos(CONNECTED, 'darksite', 'check', bad)).rejects.toMatchObject({
        code: 'exec.failed',
        details: { status: 8 },
      });
    },
    5 * MINUTE,
  );
});
