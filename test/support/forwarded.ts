/** Ports of a virtual machine on loopback. */
import { createServer } from 'node:net';

export interface Forwarded {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What it answers by HTTP; `undefined` while there is no answer of status 200. */
  readonly get: (path: string) => Promise<string | undefined>;
}

/** For QEMU's `-nic`: a network that reaches nothing, but whose machine is reached at these ports. */
export async function forwarded(machine: readonly number[]): Promise<{ nic: string; ports: Forwarded[] }> {
  const ports = await Promise.all(machine.map(freePort));
  const rules = ports.map((port, at) => `hostfwd=tcp:127.0.0.1:${port}-:${machine[at]}`);
  const get = (port: number) => async (path: string) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) });
      return answer.ok ? await answer.text() : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    nic: ['user,model=virtio-net-pci,restrict=on', ...rules].join(','),
    ports: ports.map((port) => ({ port, get: get(port) })),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
