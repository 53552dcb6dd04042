/** How a pack is cut into Reed–Solomon blocks, and where parity lies: pure, so that volumes can be sized before it is made. */

export interface ParityGeometry {
  readonly blockBytes: number;
  readonly recoveryBlocks: number;
  /** No more than this is written as parity files, both taken together. */
  readonly boundBytes: number;
}

/** About a thousand blocks a pack: 1 MiB each at 1 GiB, and a bad sector costs one block of that. */
const BLOCKS = 1024;
const SMALLEST_BLOCK = 512;
/** Headers of packets, file name and creator (PAR 2.0 specification), generously. */
const PACKET_BYTES = 68;
const DESCRIPTION_BYTES = 2048;

export function parityGeometry(packBytes: number, percent: number): ParityGeometry {
  if (percent === 0) return { blockBytes: 0, recoveryBlocks: 0, boundBytes: 0 };
  const blockBytes = Math.max(SMALLEST_BLOCK, Math.ceil(packBytes / BLOCKS / SMALLEST_BLOCK) * SMALLEST_BLOCK);
  const blocks = Math.ceil(packBytes / blockBytes);
  const recoveryBlocks = Math.max(1, Math.ceil((blocks * percent) / 100));
  // The bound never shrinks when a pack grows, so that a pack that stays below its limit stays below its bound. The
  // description of the blocks (20 bytes each) stands in the index file and, log2 times, among the recovery blocks.
  const mostBlocks = Math.min(BLOCKS, Math.ceil(packBytes / SMALLEST_BLOCK));
  const mostRecovery = Math.ceil((mostBlocks * percent) / 100) + 1;
  const copies = Math.ceil(Math.log2(mostRecovery)) + 3;
  const data = Math.ceil(((packBytes + blockBytes) * percent) / 100) + blockBytes;
  const boundBytes = data + mostRecovery * PACKET_BYTES + copies * (mostBlocks * 20 + DESCRIPTION_BYTES);
  return { blockBytes, recoveryBlocks, boundBytes };
}

/** The volume whose packs are protected by parity that lies on volume `volume`. */
export function protectedBy(volume: number, volumes: number): number {
  return volume === 1 ? volumes : volume - 1;
}

/** The volume that holds the parity of `volume`'s packs. */
export function protectorOf(volume: number, volumes: number): number {
  return volume === volumes ? 1 : volume + 1;
}

export function isParityOf(name: string, pack: string): boolean {
  return name.startsWith(pack) && /^(\.vol\d{1,5}\+\d{1,5})?\.par2$/.test(name.slice(pack.length));
}
