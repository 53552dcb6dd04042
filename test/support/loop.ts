/** Block devices that are files: loop(4), which take root. */
import { truncate, writeFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { tool } from './real-debian.ts';

/** A loop device on a new file of that size; gone when the test is. */
export async function loopOn(file: string, bytes: number): Promise<string> {
  await writeFile(file, '');
  await truncate(file, bytes);
  const device = (await tool('losetup', '--find', '--show', file)).trim();
  onTestFinished(async () => void (await tool('losetup', '--detach', device)));
  return device;
}
