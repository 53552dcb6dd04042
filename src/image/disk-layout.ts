/** Where what lies on a disk. Pure. */
import { KubedosError } from '../errors.ts';
import type { Partition } from '../spec/disk-spec.ts';

const MIB = 1024 ** 2;
export const SECTOR_BYTES = 512;
const BIOS_BYTES = MIB;
const EFI_BYTES = 64 * MIB;
/** The second partition table, and a whole number of MiB. */
const END_BYTES = MIB;
const LEAST_ROOT_BYTES = 440 * MIB;
/** Types of partitions: UEFI specification, and the Discoverable Partitions Specification (x86-64 root). */
const TYPES = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  efi: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  ext4: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  swap: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
};

/** Bytes: whole MiB. */
export interface Place {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly start: number;
  readonly bytes: number;
}

/** One that the recipe names. */
export type OwnPlace = Place & Pick<Partition, 'mount' | 'options'>;

export interface DiskLayout {
  readonly bios: Place;
  readonly efi: Place;
  /** Those of the recipe, in its order. */
  readonly own: readonly OwnPlace[];
  /** The last one: it grows where the disk is larger than the image. */
  readonly root: Place;
}

/** `spec.invalid` where the root has no room left; `origin`: the recipe. */
export function diskLayout(diskBytes: number, partitions: readonly Partition[], origin: string): DiskLayout {
  let at = MIB;
  const place = <T extends { readonly name: string; readonly type: Place['type']; readonly bytes: number }>(of: T) => {
    const start = at;
    at += of.bytes;
    return { ...of, start };
  };
  const bios = place({ name: 'bios', type: 'bios', bytes: BIOS_BYTES });
  const efi = place({ name: 'efi', type: 'efi', bytes: EFI_BYTES });
  const own = partitions.map(({ size, use, ...rest }) => place({ ...rest, type: use, bytes: size }));
  const rootBytes = diskBytes - at - END_BYTES;
  if (rootBytes < LEAST_ROOT_BYTES)
    throw new KubedosError(
      'spec.invalid',
      `${origin}: disk: size: of ${diskBytes / MIB} MiB too few are left for the root: ${rootBytes / MIB} MiB, at least ${LEAST_ROOT_BYTES / MIB}`,
    );
  return { bios, efi, own, root: place({ name: 'root', type: 'root', bytes: rootBytes }) };
}

/** For sfdisk(8). `id`: a GUID for the disk, and for each partition by its name. */
export function partitionTable({ bios, efi, own, root }: DiskLayout, id: (what: string) => string): string {
  const line = ({ name, type, start, bytes }: Place): string =>
    `start=${start / SECTOR_BYTES}, size=${bytes / SECTOR_BYTES}, type=${TYPES[type]}, uuid=${id(name)}, name=${name}\n`;
  return ['label: gpt\nunit: sectors\n', `label-id: ${id('disk')}\n\n`, ...[bios, efi, ...own, root].map(line)].join(
    '',
  );
}

/** What is mounted, the outer before the inner ones. */
export function mountedPlaces({ own, root }: DiskLayout): (OwnPlace & { readonly mount: string })[] {
  const mounted = own.flatMap(({ mount, ...place }) => (mount === undefined ? [] : [{ ...place, mount }]));
  return [{ ...root, mount: '/' }, ...mounted.sort((a, b) => (a.mount < b.mount ? -1 : 1))];
}
