/**
 * A shell script in namespaces of its own (mounts, network, processes, host name): it sees no network but a loopback that
 * is down, and whatever it mounts or starts is gone when it ends, however it ends.
 */
import { userInfo } from 'node:os';
import { KubedosError } from '../errors.ts';
import { run } from './run.ts';

export interface SealedScript {
  readonly script: string;
  /** `$1`, `$2`, … */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 2 * 60 * 60 * 1000;
const PROLOGUE = 'set -eu\numask 022\nhostname localhost\n';

/** Standard output is the script's answer, of a few KB. `exec.failed` ends with the last words of its tools. */
export async function runSealed({ script, args, cwd, env, signal }: SealedScript): Promise<string> {
  if (userInfo().uid !== 0)
    throw new KubedosError('usage.root', 'bake: mounts and namespaces are for root alone', {
      hint: 'run the command by sudo, or as root in a virtual machine',
    });
  const namespaces = ['--fork', '--kill-child', '--mount', '--mount-proc', '--pid', '--net', '--uts', '--ipc'];
  // The first word ends it all when this process is killed, the second when that one ends.
  const argv = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    'unshare',
    ...namespaces,
    'sh',
    '-c',
    PROLOGUE + script,
    'sh',
    ...args,
  ];
  const { stdout } = await run(argv, {
    cwd,
    env,
    signal,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 1024 * 1024,
    debianPackage: 'util-linux',
  });
  return stdout.toString('utf8');
}
