/** What grub-bios-setup writes into GRUB's own images so that they find each other on a disk (boot.h, diskboot.h of GRUB 2). */
import { KubedosError } from '../errors.ts';

const SECTOR_BYTES = 512;
/** Boot code of the first sector; behind it lies the partition table. */
const BOOT_CODE_BYTES = 440;
const KERNEL_SECTOR_AT = 0x5c;
const DRIVE_CHECK_AT = 0x66;
/** The one block list of diskboot.img, at its end: sector (8 bytes), length in sectors (2), segment to load it at (2). */
const BLOCK_LIST_AT = SECTOR_BYTES - 12;
const LOAD_SEGMENT = 0x820;

/** The first 440 bytes of the disk, for a core image that begins at this sector. */
export function bootCode(bootImage: Buffer, coreSector: number): Buffer {
  if (bootImage.length !== SECTOR_BYTES)
    throw new KubedosError('format.syntax', `boot.img of GRUB has ${bootImage.length} bytes, expected ${SECTOR_BYTES}`);
  const code = Buffer.from(bootImage.subarray(0, BOOT_CODE_BYTES));
  code.writeBigUInt64LE(BigInt(coreSector), KERNEL_SECTOR_AT);
  // No jump over the line that takes the first hard disk where the firmware names none.
  code.writeUInt16LE(0x9090, DRIVE_CHECK_AT);
  return code;
}

/** The core image as it lies on the disk from this sector on: its first sector loads the others. */
export function coreImage(core: Buffer, sector: number, maxBytes: number): Buffer {
  if (core.length <= SECTOR_BYTES || core.length > maxBytes)
    throw new KubedosError('format.limit', `core.img of GRUB has ${core.length} bytes, its partition ${maxBytes}`);
  const placed = Buffer.from(core);
  placed.writeBigUInt64LE(BigInt(sector + 1), BLOCK_LIST_AT);
  placed.writeUInt16LE(Math.ceil(core.length / SECTOR_BYTES) - 1, BLOCK_LIST_AT + 8);
  placed.writeUInt16LE(LOAD_SEGMENT, BLOCK_LIST_AT + 10);
  return placed;
}
