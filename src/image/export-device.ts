/** An artifact on a block device, and the proof that it is there. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, KubedosError, storageError } from '../errors.ts';
import type { BlockDevice, DeviceContent, describeDevice, deviceContents, flushBuffers } from '../exec/block-device.ts';
import type { Run } from '../progress.ts';
import { readBack } from '../store/direct-read.ts';
import type { ManifestEntry, ObjectStore } from '../store/types.ts';
import { blocksOf, checkDigest, openArtifact, writeAt } from './export-file.ts';
import { checkTarget, family } from './target-device.ts';

export interface DeviceDeps {
  readonly objects: ObjectStore;
  readonly describeDevice: typeof describeDevice;
  readonly deviceContents: typeof deviceContents;
  readonly flushBuffers: typeof flushBuffers;
}

export interface DevicePlan {
  readonly device: BlockDevice;
  /** What would be lost. */
  readonly contents: readonly DeviceContent[];
}

/** Looks at the device and writes nothing; `artifact.device` where it may not be written to. */
export async function planDevice(
  deps: DeviceDeps,
  { path, sizeBytes }: ManifestEntry,
  to: { readonly file: string; readonly partition: boolean },
): Promise<DevicePlan> {
  const device = await deps.describeDevice(to.file);
  if (device === undefined)
    throw new KubedosError('artifact.device', `export ${path} to ${to.file}: nothing is attached to it`);
  checkTarget(device, { path, sizeBytes, partition: to.partition });
  // Whoever holds it in another namespace is known to the kernel alone.
  await (await openExclusive(device.path, path)).close();
  const contents: DeviceContent[] = [];
  for (const each of family(device)) contents.push(...(await deps.deviceContents(each.path)));
  return { device, contents };
}

export interface DeviceReport {
  readonly device: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** False where the kernel offered no way around its cache, which was emptied before. */
  readonly direct: boolean;
}

/** Writes all of it, makes it durable, and reads it back from the device; `artifact.read-back` where that differs. */
export async function exportDevice(
  deps: DeviceDeps,
  entry: ManifestEntry,
  { device: { path: device } }: DevicePlan,
  run: Run = {},
): Promise<DeviceReport> {
  const { path, sha256, sizeBytes } = entry;
  run.onEvent?.({ type: 'phase', phase: `write ${device}`, bytes: sizeBytes });
  const handle = await openExclusive(device, path);
  try {
    const digest = createHash('sha256');
    let at = 0;
    for await (const chunk of blocksOf(await openArtifact(deps.objects, entry), run)) {
      digest.update(chunk);
      await writeAt(handle, chunk, at);
      at += chunk.length;
      run.onEvent?.({ type: 'advance', files: 0, bytes: at });
    }
    checkDigest(digest.digest('hex'), entry);
    await handle.sync();
  } catch (error) {
    throw storageError(`export ${path} to ${device}`, error);
  } finally {
    await handle.close();
  }
  await deps.flushBuffers(device);
  run.onEvent?.({ type: 'phase', phase: `read back ${device}`, bytes: sizeBytes });
  const onBytes = (bytes: number): void => run.onEvent?.({ type: 'advance', files: 0, bytes });
  const got = await readBack(device, { sizeBytes, signal: run.signal, onBytes });
  if (got.sha256 === sha256) return { device, sha256, sizeBytes, direct: got.direct };
  throw new KubedosError(
    'artifact.read-back',
    `export ${path} to ${device}: what it gives back hashes to ${got.sha256}, expected ${sha256}`,
    { hint: 'the medium is bad, or something else writes to it: take another' },
  );
}

/** open(2): O_EXCL of a block device fails where the kernel has it in use. */
async function openExclusive(device: string, path: string): Promise<FileHandle> {
  try {
    return await open(device, constants.O_WRONLY | constants.O_EXCL);
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw storageError(`export ${path} to ${device}`, error);
    throw new KubedosError('artifact.device', `export ${path} to ${device}: the kernel has it in use`, {
      hint: 'it may be mounted elsewhere, or a part of an array or a volume: `lsblk` and `dmsetup ls` tell',
      cause: error,
    });
  }
}
