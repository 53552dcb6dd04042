import { createHash } from 'node:crypto';

/** `count` files f0, f1, … of up to `most` bytes that do not compress; the same each time. */
export function randomFiles(count: number, most: number, seed = 'files'): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (let index = 0; index < count; index++) {
    const size = count === 1 ? most : 1 + ((index * 7919) % most);
    files[`f${index}`] = noise(`${seed} ${index}`, size);
  }
  return files;
}

/** Bytes that follow from the seed. */
export function noise(seed: string, size: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(seed)
    .digest()
    .subarray(0, size);
}
