/** rpmsign(8) with a signature that was made elsewhere: no private key comes near it. */
import { KubedosError } from '../errors.ts';
import { run } from './run.ts';

/** Files of one folder. */
export interface PreparedSignature {
  readonly folder: string;
  /** Gets the signature, in place of those it has. */
  readonly package: string;
  /** What was signed: rpmsign is given the signature only if it asks for one of these very bytes. */
  readonly signed: string;
  /** Binary OpenPGP. */
  readonly signature: string;
}

export type AddSignature = (
  prepared: PreparedSignature,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<void>;

/** Packages of many GB are copied where the header has no room left. */
const TIMEOUT_MS = 30 * 60 * 1000;

export const addSignature: AddSignature = async ({ folder, package: name, signed, signature }, { signal } = {}) => {
  for (const each of [name, signed, signature])
    if (!/^[a-z.]+$/.test(each))
      throw new KubedosError('internal.bug', `sign a package: ${each} is no plain file name`);
  // In place of gpg. The first word is the program, the second its name; the bytes to sign come on its standard input.
  const command = `/bin/sh sh -c 'cmp -s - ${signed} && cat ${signature} > "$0"' %{__signature_filename}`;
  const defines = ['_gpg_name kubedos', '_openpgp_sign gpg', `__gpg_sign_cmd ${command}`];
  await run(['rpmsign', ...defines.flatMap((define) => ['--define', define]), '--addsign', name], {
    cwd: folder,
    // Macros of the user are not for this.
    env: { HOME: folder },
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 1024 * 1024,
    signal,
    debianPackage: 'rpm',
  });
};
