/** Who vouches for an image, and whether its files are what they vouch for. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { type ErrorCode, KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { ManifestEntry, ObjectStore, Sha256 } from '../store/types.ts';
import { type Image, provenanceName } from './image-list.ts';
import { type Provenance, readProvenance } from './provenance.ts';

export interface VerifyDeps {
  readonly objects: ObjectStore;
  /** Fingerprints of the trusted keys that made it; `trust.*` where none did. */
  readonly checkSignature: (bytes: Uint8Array, signature: string, origin: string) => Promise<readonly string[]>;
}

export interface Trusted {
  readonly provenance: Provenance;
  readonly signedBy: readonly string[];
}

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** `artifact.unsound` where it is missing or malformed, `trust.*` where nobody who is trusted signed it. */
export async function trustedProvenance(deps: VerifyDeps, image: Image): Promise<Trusted> {
  const path = provenanceName(image.recipe);
  const bytes = await readDocument(deps.objects, image, path);
  const signedBy = await checkDocument(deps, image, path, bytes);
  return { provenance: readProvenance(bytes, `${image.name}/${path}`), signedBy };
}

export async function readDocument(objects: ObjectStore, image: Image, path: string): Promise<Buffer> {
  const entry = image.entries.get(path);
  const bytes = entry && (await objects.read(entry.sha256, MAX_DOCUMENT_BYTES));
  if (bytes !== undefined) return bytes;
  throw new KubedosError('artifact.unsound', `read ${image.name}/${path}: it is not there`, {
    hint: 'bake the image again, or import the bundle that brought it',
  });
}

async function checkDocument(deps: VerifyDeps, image: Image, path: string, bytes: Buffer): Promise<readonly string[]> {
  const signature = await readDocument(deps.objects, image, `${path}.asc`);
  return deps.checkSignature(bytes, signature.toString(), `${image.name}/${path}`);
}

/** The file as it is on the list, where provenance says the same of it. What was signed, and signatures, need no word of it. */
export function vouchedEntry({ provenance }: Trusted, image: Image, path: string): ManifestEntry {
  const unsound = (what: string) =>
    new KubedosError('artifact.unsound', `verify ${image.name}/${path}: ${what}`, { hint: 'bake the image again' });
  const entry = image.entries.get(path);
  if (entry === undefined) throw unsound('the list of the image does not have it');
  if (signedNames(image, provenance).includes(path)) return entry;
  const digest = provenance.subjects.get(path) ?? provenance.byproducts.get(path);
  if (digest === undefined) throw unsound('the provenance does not know it');
  if (entry.sha256 === digest) return entry;
  throw unsound(`the list says ${entry.sha256}, expected ${digest} of the provenance`);
}

/** The provenance itself, and the signatures. */
function signedNames({ recipe }: Image, { byproducts }: Provenance): string[] {
  const file = provenanceName(recipe);
  return [file, ...[file, ...byproducts.keys()].map((name) => `${name}.asc`)];
}

export interface Finding {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface VerifyReport {
  readonly image: string;
  readonly signedBy: readonly string[];
  /** Files that are what they were when they were signed. */
  readonly sound: readonly string[];
  readonly findings: readonly Finding[];
}

/** Reads every file of the image again, or the one of that path and the documents. */
export async function verifyImage(
  deps: VerifyDeps,
  { image, path }: { readonly image: Image; readonly path: string | undefined },
  run: Run = {},
): Promise<VerifyReport> {
  const sound: string[] = [];
  const findings: Finding[] = [];
  const attempt = async <T>(of: string, check: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await check();
      sound.push(of);
      return result;
    } catch (error) {
      if (!(error instanceof KubedosError) || error.code === 'cancelled') throw error;
      findings.push({ path: of, code: error.code, message: error.message });
      return undefined;
    }
  };
  const report = (signedBy: readonly string[]): VerifyReport => ({ image: image.name, signedBy, sound, findings });

  const trusted = await attempt(provenanceName(image.recipe), () => trustedProvenance(deps, image));
  if (trusted === undefined) return report([]);
  const { subjects, byproducts } = trusted.provenance;
  for (const name of byproducts.keys())
    await attempt(name, async () => {
      const { sha256 } = vouchedEntry(trusted, image, name);
      await checkObject(deps.objects, sha256, `${image.name}/${name}`, run);
      await checkDocument(deps, image, name, await readDocument(deps.objects, image, name));
    });
  const wanted = [...subjects.keys()].filter((name) => path === undefined || name === path);
  run.onEvent?.({ type: 'phase', phase: 'read', files: wanted.length });
  for (const [at, name] of wanted.entries()) {
    await attempt(name, async () => {
      const { sha256 } = vouchedEntry(trusted, image, name);
      await checkObject(deps.objects, sha256, `${image.name}/${name}`, run);
    });
    run.onEvent?.({ type: 'advance', files: at + 1, bytes: 0 });
  }
  const known = new Set([...signedNames(image, trusted.provenance), ...byproducts.keys(), ...subjects.keys()]);
  const strange = [...image.entries.keys()].filter((name) => !known.has(name));
  for (const name of path === undefined ? strange : strange.filter((each) => each === path))
    await attempt(name, async () => vouchedEntry(trusted, image, name));
  return report(trusted.signedBy);
}

async function checkObject(objects: ObjectStore, sha256: Sha256, origin: string, { signal }: Run): Promise<void> {
  const stream = await objects.open(sha256);
  if (stream === undefined) throw new KubedosError('store.not-found', `verify ${origin}: object ${sha256} is missing`);
  const digest = createHash('sha256');
  await pipeline(stream, digest, { signal });
  const got = digest.digest('hex');
  if (got === sha256) return;
  throw new KubedosError('store.bad-object', `verify ${origin}: its bytes hash to ${got}, expected ${sha256}`);
}
