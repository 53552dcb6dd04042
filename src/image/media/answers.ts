/** The answers of an installer: their form, and no password that can be read. What they ask for is the installer's to judge. */
import { parse } from 'yaml';
import { KubedosError } from '../../errors.ts';
import type { Family } from '../../spec/media-spec.ts';

/** `origin`: for messages. `spec.invalid` with the line, where one is at fault. */
export function checkAnswers(family: Family, bytes: Uint8Array, origin: string): void {
  const text = decode(bytes, origin);
  if (text.trim() === '') throw fault(origin, 'is empty');
  const carriage = text.indexOf('\r');
  if (carriage >= 0)
    throw fault(`${origin}:${lineAt(text, carriage)}`, 'has line ends of Windows, which the installer takes for text', {
      hint: `sed -i 's/\\r$//' ${origin}`,
    });
  CHECKS[family](text, origin);
}

const CHECKS: Readonly<Record<Family, (text: string, origin: string) => void>> = {
  debian: (text, origin) => {
    for (const { line, words } of logicalLines(text)) {
      // debconf-set-selections(1)
      if (words.length < 3) throw fault(`${origin}:${line}`, 'is no line of a preseed: OWNER QUESTION TYPE VALUE');
      const [, question = '', type] = words;
      if (type === 'password' && /(?:password|passphrase)(?:-again)?$/.test(question) && words.length > 3)
        throw readable(`${origin}:${line}`, `${question}-crypted`.replace('-again', ''));
    }
  },
  ubuntu: (text, origin) => {
    if (!/^#cloud-config\s*$/m.test(text.split('\n', 1)[0] ?? ''))
      throw fault(`${origin}:1`, 'does not begin with #cloud-config');
    let config: unknown;
    try {
      config = parse(text);
    } catch (cause) {
      throw fault(origin, cause instanceof Error ? cause.message : String(cause));
    }
    if (!isRecord(config) || !isRecord(config.autoinstall) || typeof config.autoinstall.version !== 'number')
      throw fault(origin, 'has no `autoinstall:` with a `version:`');
    refuseReadable(config, origin);
  },
  rhel: (text, origin) => {
    const lines = logicalLines(text);
    const opened = lines.filter(({ words }) => /^%(?!end$|include$|ksappend$)/.test(words[0] ?? '')).length;
    const closed = lines.filter(({ words }) => words[0] === '%end').length;
    if (opened !== closed) throw fault(origin, `has ${opened} sections (%packages, %post, …) and ${closed} %end`);
    let inside = false;
    for (const { line, words } of lines) {
      const [command = '', ...rest] = words;
      if (command.startsWith('%')) inside = !['%end', '%include', '%ksappend'].includes(command);
      else if (!inside) refuseKickstartPassword(`${origin}:${line}`, command, rest);
    }
  },
};

/** Kickstart syntax reference: what is not said to be crypted is not. */
function refuseKickstartPassword(origin: string, command: string, rest: readonly string[]): void {
  if (!/^[a-z][a-z0-9]*$/.test(command)) throw fault(origin, `${command} is no command of a kickstart`);
  const crypted = rest.includes('--iscrypted');
  const given = rest.some((word) => word.startsWith('--password') || word.startsWith('--passphrase'));
  const bare = command === 'rootpw' && rest.some((word) => !word.startsWith('--'));
  if (rest.includes('--plaintext') || ((given || bare) && !crypted)) throw readable(origin, `${command} --iscrypted`);
}

/** subiquity's identity and cloud-init's users and chpasswd: a password is a hash of crypt(5). */
function refuseReadable(value: unknown, origin: string, path = ''): void {
  if (!isRecord(value) && !Array.isArray(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    const isPassword = /^(?:password|passwd|hashed_passwd|plain_text_passwd)$/.test(key);
    if (isPassword && typeof inner === 'string' && !/^(?:\$|[*!])/.test(inner))
      throw readable(`${origin}: ${at}`, 'a hash of `openssl passwd -6`');
    refuseReadable(inner, origin, at);
  }
}

/** Without comments and empty lines; a `\` at the end goes on in the next. */
function logicalLines(text: string): { readonly line: number; readonly words: readonly string[] }[] {
  const found: { line: number; words: string[] }[] = [];
  let open = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const goesOn = /\\\s*$/.test(raw);
    const words = raw
      .replace(/\\\s*$/, '')
      .trim()
      .split(/\s+/)
      .filter(Boolean);
    if (open) found.at(-1)?.words.push(...words);
    else if (words.length > 0 && !words[0]?.startsWith('#')) found.push({ line: index + 1, words });
    else continue;
    open = goesOn;
  }
  return found;
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fault(origin, 'is not UTF-8', { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

function readable(origin: string, instead: string): KubedosError {
  return fault(origin, 'holds a password that can be read, as everyone could who has the medium', {
    hint: `use ${instead}, or better a public key and no password`,
  });
}

function fault(origin: string, what: string, options: { hint?: string; cause?: unknown } = {}): KubedosError {
  return new KubedosError('spec.invalid', `${origin}: ${what}`, options);
}
