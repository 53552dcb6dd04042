/** GnuPG (Debian: gnupg), for a signing key that lives in it. */
import { run } from './run.ts';

/** Somebody may have to find the smartcard, and type. */
const TIMEOUT_MS = 5 * 60 * 1000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** What gpg, its agent and its pinentry need of the environment to find each other and the terminal. */
const INHERITED = [
  'GNUPGHOME',
  'GPG_TTY',
  'TERM',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
];

export type RunGpg = (args: readonly string[], input: Uint8Array) => Promise<Buffer>;

/** `homeDir`: another than GNUPGHOME or ~/.gnupg. */
export function gpgRunner(
  options: {
    readonly homeDir?: string | undefined;
    readonly env?: Readonly<Record<string, string | undefined>> | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): RunGpg {
  const env = Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = options.env?.[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const home = options.homeDir === undefined ? [] : ['--homedir', options.homeDir];
  return async (args, input) => {
    const { stdout } = await run(['gpg', '--batch', '--no-tty', '--quiet', ...home, ...args], {
      input,
      env,
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal: options.signal,
      debianPackage: 'gnupg',
    });
    return stdout;
  };
}
