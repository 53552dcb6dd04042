/**
 * Stand-ins of packages that only their makers' repositories have, and which cannot be had here: of the same names, with
 * units of the same names, and a daemon that answers HTTP on the port of the service. They show that a role is put together
 * right and that its service comes up, and nothing of the real software.
 */
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../src/exec/run.ts';

interface StandIn {
  readonly name: string;
  readonly depends: string;
  readonly files: Readonly<Record<string, string>>;
  readonly postinst?: string;
}

const EPOCH = 1_700_000_000;
const LIMITS = { timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 };

/** perl-base is in every Debian. */
function daemon(port: number, name: string): string {
  return `#!/usr/bin/perl
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => ${port}, Listen => 8, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
  while (<$client>) { last if /^\\r?$/ }
  print $client "HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\nstand-in of ${name}\\n";
  close $client;
}
`;
}

const unit = (program: string, user: string): string =>
  `[Unit]\nDescription=Stand-in\n[Service]\nUser=${user}\nExecStart=${program}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`;

const command = (name: string): string => `#!/bin/sh\necho stand-in of ${name}\n`;

export const STAND_INS: Readonly<Record<'kubernetes' | 'grafana', readonly StandIn[]>> = {
  kubernetes: [
    {
      name: 'kubelet',
      depends: 'perl-base, iptables, conntrack, ethtool, socat',
      files: {
        '/usr/bin/kubelet': daemon(10250, 'kubelet'),
        '/lib/systemd/system/kubelet.service': unit('/usr/bin/kubelet', 'root'),
      },
    },
    { name: 'kubeadm', depends: 'kubelet', files: { '/usr/bin/kubeadm': command('kubeadm') } },
    { name: 'kubectl', depends: 'base-files', files: { '/usr/bin/kubectl': command('kubectl') } },
  ],
  grafana: [
    {
      name: 'grafana',
      depends: 'perl-base, adduser, musl',
      files: {
        '/usr/sbin/grafana-server': daemon(3000, 'grafana'),
        '/lib/systemd/system/grafana-server.service': unit('/usr/sbin/grafana-server', 'grafana'),
      },
      postinst:
        '#!/bin/sh\nset -e\nadduser --quiet --system --group --home /usr/share/grafana --no-create-home grafana\n',
    },
  ],
};

/** Writes the .deb by dpkg-deb, the same bytes each time; its path. */
export async function buildStandIn(standIn: StandIn, folder: string): Promise<string> {
  const { name, depends, files, postinst } = standIn;
  const root = join(folder, name);
  const control = [
    `Package: ${name}`,
    'Version: 1.0~standin',
    'Architecture: amd64',
    'Maintainer: kubedos tests <root@localhost>',
    `Depends: ${depends}`,
    `Description: stand-in of ${name}, for tests`,
    '',
  ].join('\n');
  const all = {
    '/DEBIAN/control': control,
    ...(postinst === undefined ? {} : { '/DEBIAN/postinst': postinst }),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, text.startsWith('#!') ? 0o755 : 0o644);
    await utimes(file, EPOCH, EPOCH);
  }
  await run(['find', root, '-type', 'd', '-exec', 'chmod', '755', '{}', '+'], LIMITS);
  const deb = join(folder, `${name}.deb`);
  const env = { SOURCE_DATE_EPOCH: String(EPOCH) };
  await run(['dpkg-deb', '--build', '--root-owner-group', root, deb], { ...LIMITS, env });
  return deb;
}
