import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { KUBEDOS } from './command-line.ts';
import { Served } from './served.ts';

export const MINUTE = 60_000;

/** What was fetched from real upstreams is kept between runs, outside the checkout. */
const CACHE =
  process.env.KUBEDOS_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kubedos-test');

export function cachedStore(name: string): string {
  mkdirSync(CACHE, { recursive: true });
  return join(CACHE, name);
}

/**
 * Runs a command; its standard output. Rejects with `exec.failed`, which holds status and standard error. Where another
 * test file writes to the store, which they share, it is tried again.
 */
export async function kubedos(data: string, ...args: readonly string[]): Promise<string> {
  const limits = { cwd: INSTALLATION, timeoutMs: 15 * MINUTE, maxOutputBytes: 16 << 20 };
  for (const start = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 1000))) {
    try {
      return (await run([...KUBEDOS, ...args, '--data', data], limits)).stdout.toString();
    } catch (error) {
      const isLocked = error instanceof Error && error.message.includes('store.locked');
      if (!isLocked || Date.now() - start > 10 * MINUTE) throw error;
    }
  }
}

/** Standard output of any tool; one that fails shows the end of all that it said. */
export async function tool(...argv: readonly string[]): Promise<string> {
  const all = { timeoutMs: 15 * MINUTE, maxOutputBytes: 64 << 20, statuses: Array.from({ length: 256 }, (_, n) => n) };
  const { status, stdout, stderr } = await run(argv, all);
  if (status === 0) return stdout.toString();
  throw new Error(`${argv.join(' ')} ended with ${status}:\n${stdout.toString().slice(-4000)}\n${stderr.slice(-4000)}`);
}

export const BOOTABLE = 'debian-12-bootable';

/** A store that holds the shipped spec as it is now, from this machine's own upstream, with the channel `stable`. */
export async function connectedStore(): Promise<string> {
  const data = cachedStore('connected');
  await kubedos(data, 'start', '--once', '--quiet');
  await kubedos(data, 'mirror', 'sync', BOOTABLE, '--quiet');
  // Without the images that tests baked here.
  await kubedos(data, 'snapshot', 'create', '--mirror', BOOTABLE, '--channel', 'stable');
  return data;
}

/** `kubedos serve` on a free port of loopback. */
export function serveData(data: string): Promise<Served> {
  return Served.start([...KUBEDOS, 'serve', '--port', '0', '--data', data], { cwd: INSTALLATION });
}
