/** A vendor's ISO, looked at: what it is, and which of its files are to change. */
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { extractFromIso, IsoFacts, IsoPartition, inspectIso } from '../../exec/xorriso.ts';
import type { Family } from '../../spec/media-spec.ts';
import { dialectOf } from './boot-config.ts';
import { MEDIA_FAMILIES, type MediaFamily } from './families.ts';

export interface MediumDeps {
  readonly inspectIso: typeof inspectIso;
  readonly extractFromIso: typeof extractFromIso;
}

export interface Medium {
  readonly facts: IsoFacts;
  readonly family: MediaFamily;
  /** Of the tree, read: path → content. */
  readonly texts: ReadonlyMap<string, Buffer>;
  /** What UEFI starts, copied out: a FAT image. */
  readonly efi: EfiImage | undefined;
}

export interface EfiImage {
  readonly file: string;
  /** Paths of the tree where it lies. */
  readonly paths: readonly string[];
  /** Or behind the tree, too. */
  readonly partition: IsoPartition | undefined;
}

/** Where lorax puts a copy of the one that it appends. */
const RHEL_EFI = '/images/efiboot.img';
export const MD5SUMS = '/md5sum.txt';
export const TREEINFO = '/.treeinfo';

/** `bake.failed` for what is no bootable medium of that family. `origin`: for messages. */
export async function openMedium(
  deps: MediumDeps,
  {
    iso,
    name,
    origin,
    folder,
  }: { readonly iso: string; readonly name: Family; readonly origin: string; readonly folder: string },
  signal?: AbortSignal,
): Promise<Medium> {
  const family = MEDIA_FAMILIES[name];
  const facts = await deps.inspectIso(iso, signal);
  const refuse = (what: string, hint?: string): KubedosError =>
    new KubedosError('bake.failed', `${origin}: ${what}`, { hint });
  if (facts.files.size === 0) throw refuse('is no ISO 9660 image');
  const { mark } = family;
  const wanted = `expected ${mark.path} ${mark.words}`;
  const other = `is no medium of the family ${name}: ${wanted}`;
  if (!facts.files.has(mark.path)) throw refuse(`${other}; there is no such file`, 'say the right `family:`');
  if (facts.bootImages.length === 0)
    throw refuse('nothing boots from it: it has no El Torito boot record', 'take the ISO as the vendor publishes it');
  const efi = await efiPlace(facts);
  const small = [...facts.files].filter(
    (path) => dialectOf(path) !== undefined || path === MD5SUMS || path === TREEINFO,
  );
  const files = new Map([...new Set([mark.path, ...small])].map((path, n) => [path, join(folder, String(n))]));
  await mkdir(folder, { recursive: true });
  const image = join(folder, 'efi.img');
  const fromTree = efi?.paths[0];
  if (fromTree !== undefined && efi?.partition === undefined) files.set(fromTree, image);
  await deps.extractFromIso(iso, files, signal);
  if (efi?.partition !== undefined) await copyOut(iso, efi.partition, image);
  // As on the medium, nobody may write to it.
  else if (fromTree !== undefined) await chmod(image, 0o600);
  const texts = new Map<string, Buffer>();
  for (const [path, file] of files) if (file !== image) texts.set(path, await readFile(file));
  const text = texts.get(mark.path)?.toString('utf8') ?? '';
  if (!mark.form.test(text))
    throw refuse(`${other}; it reads ${JSON.stringify(text.trim().slice(0, 80))}`, 'say the right `family:`');
  return { facts, family, texts, efi: efi && { ...efi, file: image } };
}

function efiPlace({ bootImages, partitions, files }: IsoFacts): Omit<EfiImage, 'file'> | undefined {
  const image = bootImages.find(({ platform }) => platform === 'UEFI');
  if (image === undefined) return undefined;
  if (image.path !== undefined) return { paths: [image.path], partition: undefined };
  const partition = partitions.find(({ startBytes }) => startBytes === image.startBytes);
  if (partition === undefined)
    throw new KubedosError('bake.failed', 'the image that UEFI starts lies neither in the tree nor in a partition');
  return { paths: files.has(RHEL_EFI) ? [RHEL_EFI] : [], partition };
}

async function copyOut(iso: string, { startBytes, sizeBytes }: IsoPartition, to: string): Promise<void> {
  const source = await open(iso);
  const target = await open(to, 'wx');
  try {
    const block = Buffer.alloc(1024 * 1024);
    for (let done = 0; done < sizeBytes; ) {
      const { bytesRead } = await source.read(block, 0, Math.min(block.length, sizeBytes - done), startBytes + done);
      if (bytesRead === 0)
        throw new KubedosError('bake.failed', 'the ISO ends within its EFI partition: it is cut short');
      await target.write(block, 0, bytesRead);
      done += bytesRead;
    }
  } finally {
    await source.close();
    await target.close();
  }
}
