/** A network namespace with loopback and no route, in which a store is served and used. */
import { join } from 'node:path';
import { INSTALLATION } from '../../src/wiring.ts';
import { KUBEDOS } from './command-line.ts';
import { tool } from './real-debian.ts';

/**
 * A script for the namespace (`unshare --net sh`). In its body `K` runs kubedos on the store, and `SERVE` starts the
 * server on port 8480 and waits until it answers. What is sent is recorded in `dir`.
 */
export function darkScript({ dir, data }: { readonly dir: string; readonly data: string }, body: string): string {
  const before = KUBEDOS.map((word) => `'${word}'`).join(' ');
  return `set -eu
cd '${INSTALLATION}'
K() { ${before} "$@" --data '${data}'; }
ip link set lo up
test -z "$(ip route show default)"
tcpdump -i any -U -w '${dir}/dark.pcap' 2>'${dir}/tcpdump.log' & CAPTURE=$!
for _ in $(seq 50); do grep -q listening '${dir}/tcpdump.log' && break; sleep 0.1; done
SERVER=
stop() { [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true; kill "$CAPTURE" 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT
SERVE() {
  ${before} serve --port 8480 --data '${data}' >'${dir}/serve.log' 2>&1 & SERVER=$!
  for _ in $(seq 100); do curl -fs http://127.0.0.1:8480/readyz >/dev/null && return 0; sleep 0.2; done
  return 1
}
${body}
`;
}

/** Packets that were recorded and fit a filter of tcpdump, one a line. */
export const recordedPackets = (dir: string, ...filter: readonly string[]): Promise<string> =>
  tool('tcpdump', '-nn', '-r', join(dir, 'dark.pcap'), ...filter);

/** Of what went elsewhere than to the host itself. */
export const FOR_ELSEWHERE = ['not', 'net', '127.0.0.0/8', 'and', 'not', 'ip6', 'host', '::1'];
