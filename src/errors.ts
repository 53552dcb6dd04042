/**
 * The one error class of kubedos and the catalogue of its codes. A plain Error that reaches an edge is a bug.
 *
 * Wording of a message: action, object, expected and got; the way out goes into `hint`:
 * message "verify InRelease of bookworm: signed by A1B2…, expected one of …", hint "add the key under keys/".
 */

/** Exit status of the command line and status of the HTTP server for each class of error. */
export const ERROR_KINDS = {
  internal: { exit: 1, http: 500 },
  usage: { exit: 2, http: 400 },
  trust: { exit: 3, http: 403 },
  missing: { exit: 4, http: 404 },
  conflict: { exit: 5, http: 409 },
  upstream: { exit: 6, http: 502 },
  storage: { exit: 7, http: 507 },
  damage: { exit: 8, http: 500 },
  busy: { exit: 9, http: 503 },
  cancelled: { exit: 130, http: 503 },
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

/** Every code with its kind and one line for docs/errors.md. Codes read `area.what`, sorted within their area. */
export const ERROR_CODES = {
  'internal.bug': ['internal', 'something that cannot happen did; report it with the log'],
  cancelled: ['cancelled', 'the operation was stopped by its user; run the same command again to go on'],
  'usage.argument': ['usage', 'an argument or option of the command line is not usable'],
  'usage.confirm': ['usage', 'a destructive command was called without --yes'],
  'usage.root': ['usage', 'the command needs mounts and namespaces, which are for root'],
  'usage.bind': ['usage', 'the server was asked to listen beyond loopback without being told so'],

  'format.syntax': ['upstream', 'a file does not follow its format; the message says origin:line'],
  'format.limit': ['upstream', 'a field, stanza, archive member or expansion is larger than its named limit'],
  'format.path': ['upstream', 'a path escapes, is absolute, or holds NUL or control characters'],

  'spec.invalid': ['usage', 'a mirror spec breaks its schema; the message says file:line'],
  'spec.unknown': ['missing', 'no mirror spec of that name or file'],

  'store.bad-object': ['damage', 'an object does not hash to its name; repair it'],
  'store.corrupt': ['damage', 'a manifest, snapshot or channel document is damaged'],
  'store.exists': ['conflict', 'there is a store in that folder already'],
  'store.hash-mismatch': ['upstream', 'bytes that were to be stored do not have the expected hash or size'],
  'store.io': ['storage', 'the file system refused an operation'],
  'store.locked': ['busy', 'another process writes to this store; the message names it'],
  'store.no-space': ['storage', 'the disk is full; nothing is lost, make space and run the command again'],
  'store.none': ['missing', 'there is no store in that folder'],
  'store.not-found': ['missing', 'no such object, snapshot, channel or mirror in this store'],
  'store.protected': ['conflict', 'the snapshot is protected, or a channel or receipt holds it'],
  'store.raced': ['conflict', 'a compare-and-swap lost: the channel or head moved meanwhile'],
  'store.version': ['conflict', 'the store was written by a newer kubedos'],

  'trust.bad-signature': ['trust', 'a signature does not fit what it signs'],
  'trust.expired': ['trust', 'a Release, key or snapshot is past its expiry'],
  'trust.key-mismatch': ['trust', 'a key file holds another key than the one pinned'],
  'trust.key-revoked': ['trust', 'the signing key is revoked or not yet valid'],
  'trust.key-unknown': ['trust', 'signed by a key that is not pinned'],
  'trust.no-key': ['trust', 'no public key for a pinned fingerprint is at hand'],
  'trust.other-package': ['trust', "a package's header names another package than the metadata that lists it"],
  'trust.other-suite': ['trust', 'the signed Release is of another suite than the one that was asked for'],
  'trust.passphrase': ['trust', 'the private key cannot be unlocked'],
  'trust.rollback': ['trust', 'older than what was accepted before'],
  'trust.text-around': ['trust', 'there is text outside the signed block'],
  'trust.unsigned': ['trust', 'a signature is demanded and there is none'],
  'trust.weak-digest': ['trust', 'signed metadata gives no SHA-256 for a file'],

  'net.auth': ['upstream', 'upstream refused the credentials, or asked for some'],
  'net.failed': ['upstream', 'no upstream could be reached or every try failed'],
  'net.hash-mismatch': ['upstream', 'a download does not have the hash that signed metadata promised'],
  'net.not-found': ['upstream', 'upstream has no such file'],
  'net.redirects': ['upstream', 'too many redirects'],
  'net.size': ['upstream', 'a download is shorter or longer than signed metadata promised, or than its limit'],
  'net.stalled': ['upstream', 'a download moved too slowly for too long'],
  'net.status': ['upstream', 'upstream answered with an error status'],

  'sync.changed': ['upstream', 'upstream kept changing during the sync'],
  'sync.incomplete': ['upstream', 'files are missing upstream; see `missing:` in the spec'],
  'sync.unresolved': ['conflict', 'the dependency closure cannot be met; the message names the missing piece'],

  'repo.conflict': ['conflict', 'same name, version and architecture with other bytes'],
  'repo.not-local': ['conflict', 'packages can be added to and removed from local repositories only'],
  'repo.unsignable': ['conflict', 'a package whose header has no digest of its payload cannot be signed'],

  'bake.failed': [
    'conflict',
    'a recipe cannot be built; the message names it, the step, and the last words of the tool',
  ],

  'artifact.device': ['conflict', 'a device is in use, too small, or none to write an image to; nothing was written'],
  'artifact.exists': ['conflict', 'the file to export to is there already'],
  'artifact.read-back': ['damage', 'a device does not give back what was written to it'],
  'artifact.recipe': ['conflict', 'the recipe at hand is not the one that an image was made of'],
  'artifact.unsound': ['trust', 'an artifact has no provenance, or one that does not fit'],

  'bundle.audience': ['conflict', 'the bundle is meant for another store, or was made by this one'],
  'bundle.base-missing': ['conflict', 'the bundle builds on a snapshot that this store does not hold'],
  'bundle.damaged': ['damage', 'parts of the bundle are damaged or missing; the message lists them'],
  'bundle.foreign': ['conflict', 'a volume belongs to another bundle'],
  'bundle.invalid': ['trust', 'the bundle breaks its format or holds what its list does not name'],
  'bundle.incomplete': ['conflict', 'volumes are missing'],

  'exec.failed': ['internal', 'an outside tool failed; the message ends with its last words'],
  'exec.missing': ['missing', 'an outside tool is not installed; the hint names its Debian package'],
  'exec.timeout': ['internal', 'an outside tool ran past its deadline'],

  'server.unauthorized': ['trust', 'no token, or not a valid one'],
  'server.request': ['usage', 'the request cannot be understood'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorOptions {
  /** The way out, as a sentence for the user. */
  readonly hint?: string | undefined;
  /** True where trying the same again may succeed. */
  readonly retryable?: boolean;
  /** Machine-readable facts; never credentials. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class KubedosError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(visible(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KubedosError';
    this.code = code;
    this.hint = options.hint && visible(options.hint);
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code][0];
  }
}

/** Messages quote what strangers wrote: what a terminal would obey, or what turns text around, is shown as `\u001b`. */
function visible(text: string): string {
  return text.replace(UNPRINTABLE, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must find
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Node's errno errors carry a string code; narrows to it. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return undefined;
}

/** What a full disk is called by the kernel, and by SQLite, which hides the former. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);

/** Wraps what the file system threw into `store.no-space` or `store.io`; passes KubedosErrors on. */
export function storageError(action: string, cause: unknown): KubedosError {
  if (cause instanceof KubedosError) return cause;
  if (FULL.has(errnoOf(cause) ?? '')) {
    return new KubedosError('store.no-space', `${action}: no space left on the device`, {
      hint: 'nothing is lost: make space (`kubedos store gc`), then run the same command again',
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KubedosError('store.io', `${action}: ${reason}`, { cause });
}
