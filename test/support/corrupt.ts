/** Damage to files, as media and strangers do it. */
import { open, stat, truncate } from 'node:fs/promises';

/** Turns one bit; gives what turns it back. */
export async function flipBit(file: string, position: number, bit = 0): Promise<() => Promise<void>> {
  const flip = async (): Promise<void> => {
    const handle = await open(file, 'r+');
    try {
      const byte = Buffer.alloc(1);
      await handle.read(byte, 0, 1, position);
      byte[0] = (byte[0] ?? 0) ^ (1 << bit);
      await handle.write(byte, 0, 1, position);
    } finally {
      await handle.close();
    }
  };
  await flip();
  return flip;
}

export async function overwrite(file: string, position: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, position);
  } finally {
    await handle.close();
  }
}

/** The disk was pulled early. */
export async function cutShort(file: string, share: number): Promise<void> {
  await truncate(file, Math.floor((await stat(file)).size * share));
}
