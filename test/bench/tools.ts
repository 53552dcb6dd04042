/** The commands that are compared: kubedos as it is installed, aptly with a root of its own, nginx in front of a folder. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { run } from '../../src/exec/run.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { Served } from '../support/served.ts';
import {
  type SyntheticApt,
  type SyntheticOptions,
  startSyntheticApt,
  syntheticFile,
} from '../support/synthetic-apt.ts';
import type { Command } from './measure.ts';

/** Run as a program, so that the flags in its first line count. */
const MAIN = join(INSTALLATION, 'dist/cli/main.js');

export function kubedosCommand(data: string, ...args: readonly string[]): Command {
  return { argv: [MAIN, ...args, '--quiet', '--data', data] };
}

export async function runCommand({ argv, env }: Command): Promise<string> {
  const { stdout } = await run(argv, { env, timeoutMs: 3_600_000, maxOutputBytes: 64 << 20 });
  return stdout.toString();
}

export function serveStore(data: string): Promise<Served> {
  return Served.start([MAIN, 'serve', '--port', '0', '--data', data]);
}

/** Bytes at the peak, of the process alone and not of what it starts: proc_pid_status(5). */
export async function peakOfProcess({ argv: [command = '', ...args] }: Command): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let peak = 0;
  const timer = setInterval(() => {
    const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'latin1') : '';
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
  }, 50);
  const status = await ended;
  clearInterval(timer);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return peak;
}

/** A data folder with its store, and a key for upstreams that it trusts. */
export class Kubedos {
  readonly data: string;
  readonly key: FakeKey;
  readonly #folder: string;

  private constructor(folder: string, key: FakeKey) {
    this.#folder = folder;
    this.data = join(folder, 'data');
    this.key = key;
  }

  static async make(folder: string): Promise<Kubedos> {
    mkdirSync(folder, { recursive: true });
    const made = new Kubedos(folder, await fakeKey());
    writeFileSync(join(folder, 'upstream.asc'), made.key.publicArmored);
    await made.anew();
    return made;
  }

  /** An empty store again. */
  async anew(): Promise<void> {
    setAside(this.data);
    await this.run('init');
    const file = join(this.#folder, 'upstream.asc');
    await this.run('key', 'import', file, '--fingerprint', this.key.fingerprint);
  }

  command(...args: readonly string[]): Command {
    return kubedosCommand(this.data, ...args);
  }

  run(...args: readonly string[]): Promise<string> {
    return runCommand(this.command(...args));
  }

  /** A verbatim spec of a synthetic archive; its path. */
  spec(name: string, url: string): string {
    const file = join(this.#folder, `${name}.yaml`);
    writeFileSync(
      file,
      `name: ${name}\ntype: apt\nform: verbatim\nupstreams:\n  - url: ${url}\n    suites: [synthetic]\n    components: [main]
    architectures: [amd64]\n    keys:\n      - { fingerprint: ${this.key.fingerprint} }\n`,
    );
    return file;
  }

  serve(): Promise<Served> {
    return serveStore(this.data);
  }
}

/** Takes a folder out of the way. ext4 is slow to make files for a minute after as many were deleted, whoever makes them. */
export function setAside(folder: string): void {
  if (existsSync(folder)) renameSync(folder, `${folder}-${randomUUID()}`);
}

export function archive(folder: string, options: Omit<SyntheticOptions, 'folder'>): Promise<SyntheticApt> {
  mkdirSync(folder, { recursive: true });
  return startSyntheticApt({ ...options, folder });
}

/** The same as files below `root`, served by nginx. */
export async function staticArchive(
  folder: string,
  root: string,
  options: Omit<SyntheticOptions, 'folder'>,
): Promise<Served> {
  const made = await archive(join(folder, 'index'), options);
  const keep = (path: string, bytes: Uint8Array): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  };
  for (const path of ['dists/synthetic/InRelease', 'dists/synthetic/main/binary-amd64/Packages.gz'])
    keep(path, Buffer.from(await (await fetch(`${made.url}/${path}`)).arrayBuffer()));
  await made.close();
  for (let number = 0; number < options.packages; number++) {
    const { path, bytes } = syntheticFile(options, number, 1);
    keep(path, bytes);
  }
  return nginx(join(folder, 'nginx'), root);
}

/** Verifies upstream by the same key; what it publishes it does not sign, which spares it work. */
export class Aptly {
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
  }

  static async make(home: string, key: FakeKey): Promise<Aptly> {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeFileSync(join(home, 'key.asc'), key.publicArmored);
    writeFileSync(join(home, 'aptly.conf'), JSON.stringify({ rootDir: join(home, 'root'), downloadConcurrency: 8 }));
    const ring = join(home, 'trusted.gpg');
    await runCommand({ argv: ['gpg', '--homedir', home, '--dearmor', '--output', ring, join(home, 'key.asc')] });
    return new Aptly(home);
  }

  command(...args: readonly string[]): Command {
    return { argv: ['aptly', `-config=${join(this.#home, 'aptly.conf')}`, ...args], env: { HOME: this.#home } };
  }

  run(...args: readonly string[]): Promise<string> {
    return runCommand(this.command(...args));
  }

  mirror(name: string, url: string): Promise<string> {
    const ring = `-keyring=${join(this.#home, 'trusted.gpg')}`;
    return this.run('mirror', 'create', ring, '-architectures=amd64', name, url, 'synthetic', 'main');
  }

  update(name: string): Command {
    return this.command('mirror', 'update', `-keyring=${join(this.#home, 'trusted.gpg')}`, name);
  }
}

/** nginx as Debian configures it for files (sendfile, tcp_nopush), with one worker, as we have one process. */
export async function nginx(folder: string, root: string): Promise<Served> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `user root; worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 768; }
http { sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi; server { listen 127.0.0.1:${port}; root ${root}; } }\n`,
  );
  const child = spawn('nginx', ['-c', file, '-e', join(folder, 'error.log')], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 50; tries++) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return new Served(child, url);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGTERM');
  throw new Error('nginx does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
