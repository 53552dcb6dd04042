/** Writes one pack: members in the order of the contents list, each hashed while it is copied. */
import { createHash, hash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { KubedosError, storageError } from '../errors.ts';
import type { ObjectStore, Sha256 } from '../store/types.ts';
import { throwIfCancelled } from './cancel.ts';
import { memberName, memberObject } from './names.ts';
import { PackSink } from './pack-sink.ts';
import { damagedObject } from './plan.ts';
import type { PackMember } from './types.ts';
import { BLOCK_BYTES, paddedBytes, TRAILER_BYTES, writeHeader } from './ustar.ts';

/** Objects up to this are read whole, several ahead; larger ones are streamed. */
const WHOLE_BYTES = 1024 * 1024;
const AHEAD = 16;

export interface PackInput {
  readonly objects: ObjectStore;
  readonly members: AsyncIterable<readonly PackMember[]>;
  /** Size of every extent but the last of an object. */
  readonly extentBytes: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly signal?: AbortSignal | undefined;
  readonly onMember?: ((bytes: number) => void) | undefined;
}

/** Temporary name, fsync, rename; the caller syncs the folder. `store.bad-object` where the store's bytes are not what it says. */
export async function writePack(file: string, input: PackInput): Promise<{ sha256: Sha256; sizeBytes: number }> {
  const temporary = `${file}.part`;
  const sink = await PackSink.create(temporary);
  try {
    for await (const { member, bytes } of readAhead(input)) {
      throwIfCancelled(input.signal, 'export');
      const { sizeBytes } = member;
      await sink.reserve(BLOCK_BYTES, (target, offset) => {
        writeHeader(target, offset, { name: memberName(member), sizeBytes, mtime: input.mtime });
      });
      if (bytes === undefined) await copyStream(sink, member, input);
      else await sink.write(checkBytes(member, bytes));
      const padding = paddedBytes(sizeBytes) - sizeBytes;
      if (padding > 0) await sink.reserve(padding, (target, offset) => target.fill(0, offset, offset + padding));
      input.onMember?.(sizeBytes);
    }
    await sink.reserve(TRAILER_BYTES, (target, offset) => target.fill(0, offset, offset + TRAILER_BYTES));
    const written = await sink.finish();
    await rename(temporary, file);
    return written;
  } catch (error) {
    await sink.abandon();
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(`write ${file}`, error);
  }
}

interface Ready {
  readonly member: PackMember;
  /** `undefined`: to be streamed. */
  readonly bytes: Buffer | undefined;
}

/** In order; small objects are being read while those before them are written. */
async function* readAhead({ objects, members }: PackInput): AsyncGenerator<Ready> {
  const queue: Promise<Ready>[] = [];
  const read = async (member: PackMember): Promise<Ready> => {
    if (member.extent !== null || member.sizeBytes > WHOLE_BYTES) return { member, bytes: undefined };
    const bytes = await objects.read(member.sha256, WHOLE_BYTES);
    if (bytes === undefined) throw gone(member);
    return { member, bytes };
  };
  for await (const batch of members) {
    for (const member of batch) {
      const ready = read(member);
      ready.catch(() => undefined);
      queue.push(ready);
      if (queue.length < AHEAD) continue;
      const next = await queue.shift();
      if (next !== undefined) yield next;
    }
  }
  for (const ready of queue) yield await ready;
}

function checkBytes(member: PackMember, bytes: Buffer): Buffer {
  const got = hash('sha256', bytes, 'hex');
  if (got !== member.sha256 || bytes.length !== member.sizeBytes) throw damagedObject(member.sha256, got);
  return bytes;
}

async function copyStream(sink: PackSink, member: PackMember, input: PackInput): Promise<void> {
  const { objects, signal } = input;
  const start = (member.extent?.index ?? 0) * input.extentBytes;
  const source = await objects.open(memberObject(member), { start, end: start + member.sizeBytes });
  if (source === undefined) throw gone(member);
  const digest = createHash('sha256');
  let count = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    throwIfCancelled(signal, 'export');
    count += chunk.length;
    digest.update(chunk);
    await sink.write(chunk);
  }
  const got = digest.digest('hex');
  if (got !== member.sha256 || count !== member.sizeBytes) throw damagedObject(memberObject(member), got);
}

function gone(member: PackMember): KubedosError {
  return new KubedosError('store.bad-object', `export object ${memberObject(member)}: it is missing`, {
    hint: 'fetch it again with `kubedos store repair`, then run the same command',
  });
}
