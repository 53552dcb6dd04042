/** Which member goes into which pack, which pack onto which volume: pure, and the same for the same input. */
import { KubedosError } from '../errors.ts';
import { packName } from './names.ts';
import { parityGeometry } from './parity-geometry.ts';
import { MAX_FILE_BYTES, MAX_PACKS, type PackPlan } from './types.ts';
import { BLOCK_BYTES, memberBytes, TRAILER_BYTES } from './ustar.ts';

export interface LayoutLimits {
  /** Largest tar, trailer included. */
  readonly packBytes: number;
  /** Bytes of packs on one volume. */
  readonly packsPerVolumeBytes: number;
  /** Bytes that a volume keeps for the parity of its neighbour. */
  readonly parityPerVolumeBytes: number;
  readonly parityPercent: number;
}

/** The smallest pack that is worth having: one header, one block, the trailer. */
const SMALLEST_PACK = 4 * BLOCK_BYTES;

/** Cuts a volume's size into what documents (`fixedBytes`), packs and parity may take. */
export function layoutLimits(input: {
  readonly volumeBytes: number;
  readonly packBytes: number;
  readonly parityPercent: number;
  readonly fixedBytes: number;
}): LayoutLimits {
  const room = input.volumeBytes - input.fixedBytes;
  const refuse = (): KubedosError =>
    new KubedosError(
      'usage.argument',
      `lay out volumes of ${input.volumeBytes} bytes: ${input.fixedBytes} of them go to documents that each volume carries`,
      { hint: 'choose a larger --volume-size' },
    );
  if (room < SMALLEST_PACK) throw refuse();
  let packBytes = Math.min(input.packBytes, MAX_FILE_BYTES, room);
  const share = parityGeometry(packBytes, input.parityPercent).boundBytes / packBytes;
  const packsPerVolumeBytes = Math.floor(room / (1 + share));
  packBytes = wholeBlocks(Math.min(packBytes, packsPerVolumeBytes));
  const parityPerVolumeBytes = room - packsPerVolumeBytes;
  // Parity has a share that does not shrink with the pack: on small volumes packs are made smaller until theirs fits.
  while (
    packBytes >= SMALLEST_PACK &&
    parityGeometry(packBytes, input.parityPercent).boundBytes > parityPerVolumeBytes
  ) {
    packBytes = wholeBlocks(packBytes * 0.9);
  }
  if (packBytes < SMALLEST_PACK) throw refuse();
  return { packBytes, packsPerVolumeBytes, parityPerVolumeBytes, parityPercent: input.parityPercent };
}

function wholeBlocks(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/**
 * Sizes of the extents that an object is cut into, or `undefined` where it fits a pack whole. A quarter of a pack each,
 * so that the ends of volumes are filled too.
 */
export function extentSizes(sizeBytes: number, packBytes: number): number[] | undefined {
  if (memberBytes(sizeBytes) + TRAILER_BYTES <= packBytes) return undefined;
  const extent = extentBytes(packBytes);
  const sizes: number[] = [];
  for (let left = sizeBytes; left > 0; left -= extent) sizes.push(Math.min(left, extent));
  if (sizes.length > 10_000) {
    throw new KubedosError('usage.argument', `cut an object of ${sizeBytes} bytes: more than 10000 extents`, {
      hint: 'choose a larger pack size',
    });
  }
  return sizes;
}

export function extentBytes(packBytes: number): number {
  const most = packBytes - TRAILER_BYTES - BLOCK_BYTES;
  return Math.max(BLOCK_BYTES, Math.floor(most / 4 / BLOCK_BYTES) * BLOCK_BYTES);
}

interface OpenPack {
  bytes: number;
  limit: number;
  members: number;
  listBytes: number;
}

/** Fills packs and volumes in the order in which members come. */
export class Layout {
  readonly #limits: LayoutLimits;
  readonly #volumes: PackPlan[][] = [[]];
  #packs = 0;
  #usedBytes = 0;
  #usedParity = 0;
  #open: OpenPack | undefined;

  constructor(limits: LayoutLimits) {
    this.#limits = limits;
  }

  /** The number of the pack that takes the member; `lineBytes` is what the contents list spends on it. */
  add(sizeBytes: number, lineBytes: number): number {
    const bytes = memberBytes(sizeBytes);
    if (this.#open !== undefined && this.#open.bytes + bytes > this.#open.limit) this.#close();
    this.#open ??= this.#begin(bytes + TRAILER_BYTES);
    this.#open.bytes += bytes;
    this.#open.members += 1;
    this.#open.listBytes += lineBytes;
    return this.#packs;
  }

  finish(): PackPlan[][] {
    this.#close();
    return this.#volumes;
  }

  #begin(needed: number): OpenPack {
    if (needed > this.#room()) this.#nextVolume();
    const limit = this.#room();
    if (needed > limit) {
      throw new KubedosError('internal.bug', `lay out a pack: member of ${needed} bytes, room for ${limit}`);
    }
    this.#packs += 1;
    if (this.#packs > MAX_PACKS) {
      throw new KubedosError('usage.argument', `lay out the bundle: more than ${MAX_PACKS} packs`, {
        hint: 'choose a larger pack size (at most 4 GiB - 1)',
      });
    }
    return { bytes: TRAILER_BYTES, limit, members: 0, listBytes: 0 };
  }

  /** The largest pack that the current volume still takes. */
  #room(): number {
    const { packBytes, packsPerVolumeBytes, parityPerVolumeBytes, parityPercent } = this.#limits;
    const room = Math.min(packBytes, packsPerVolumeBytes - this.#usedBytes);
    if (parityPercent === 0 || room <= 0) return room;
    const parityLeft = parityPerVolumeBytes - this.#usedParity;
    // A pack's parity grows with it, so a pack of that share of what is left never breaks the bound.
    if (parityGeometry(room, parityPercent).boundBytes <= parityLeft) return room;
    for (let smaller = room; smaller > SMALLEST_PACK; smaller = Math.floor(smaller * 0.9)) {
      if (parityGeometry(smaller, parityPercent).boundBytes <= parityLeft) return smaller;
    }
    return 0;
  }

  #nextVolume(): void {
    this.#volumes.push([]);
    this.#usedBytes = 0;
    this.#usedParity = 0;
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { bytes, members, listBytes } = this.#open;
    this.#volumes.at(-1)?.push({ name: packName(this.#packs), sizeBytes: bytes, members, listBytes });
    this.#usedBytes += bytes;
    this.#usedParity += parityGeometry(bytes, this.#limits.parityPercent).boundBytes;
    this.#open = undefined;
  }
}
