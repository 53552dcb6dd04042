/** A GnuPG home of its own, removed after each test: the oracle that our signatures and judgements are held against. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface GnuPg {
  readonly home: string;
  /** Runs gpg with the arguments; throws unless it succeeds. `at`: a faked time, `20200131T120000`. */
  gpg(args: readonly string[], options?: { readonly input?: string | Buffer; readonly at?: string }): Buffer;
  /** A new key without passphrase; gives its fingerprint. */
  key(userId: string, options?: { algorithm?: string; usage?: string; expire?: string; at?: string }): string;
  /** The revocation that gpg prepared for a key, applied to it. */
  revoke(fingerprint: string): void;
}

const homes: string[] = [];

afterAll(() => {
  for (const home of homes.splice(0)) {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    rmSync(home, { recursive: true, force: true });
  }
});

export function gnuPg(): GnuPg {
  // Short: the path of the agent's socket has a limit of 107 bytes.
  const home = mkdtempSync(join(tmpdir(), 'kg-'));
  homes.push(home);
  const gpg: GnuPg['gpg'] = (args, { input = '', at } = {}) => {
    const faked = at === undefined ? [] : ['--faked-system-time', at];
    const base = ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
    const result = spawnSync('gpg', [...base, ...faked, ...args], { input, maxBuffer: 1 << 24 });
    if (result.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
  return {
    home,
    gpg,
    key(userId, { algorithm = 'ed25519', usage = 'sign', expire = 'never', at } = {}) {
      gpg(['--quick-gen-key', userId, algorithm, usage, expire], at === undefined ? {} : { at });
      const listed = gpg(['--list-keys', '--with-colons', userId]).toString();
      return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? '';
    },
    revoke(fingerprint) {
      const folder = join(home, 'openpgp-revocs.d');
      const name = readdirSync(folder).find((each) => each.startsWith(fingerprint)) ?? '';
      const certificate = readFileSync(join(folder, name), 'utf8').replace(/^:---/m, '---');
      gpg(['--import'], { input: certificate });
    },
  };
}

/** What gpgv says with these keys: its exit status, and what it gives as the signed content. */
export function gpgv(keyring: Uint8Array, signed: string | Uint8Array, detachedFrom?: Uint8Array) {
  const home = mkdtempSync(join(tmpdir(), 'kg-'));
  try {
    const file = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(home, name), content);
      return join(home, name);
    };
    const keys = file('keys.gpg', keyring);
    const args =
      detachedFrom === undefined
        ? ['--output', '-', file('signed', signed)]
        : [file('signature', signed), file('content', detachedFrom)];
    const result = spawnSync('gpgv', ['--homedir', home, '--keyring', keys, ...args]);
    return { status: result.status, content: result.stdout, words: result.stderr.toString() };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
