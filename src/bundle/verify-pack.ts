/** One pack against the signed list: every byte of the file counts. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import type { Sha256 } from '../store/types.ts';
import { BlockReader } from './block-reader.ts';
import { throwIfCancelled } from './cancel.ts';
import type { ContentsFile } from './contents-file.ts';
import { openOrdinary } from './documents.ts';
import { memberObject } from './names.ts';
import { walkPack } from './pack-walk.ts';
import type { PackMember, PackPlan } from './types.ts';

export interface PackVerdict {
  /** `undefined`: there is no such file. */
  readonly sha256: Sha256 | undefined;
  readonly sizeBytes: number;
  /** What is wrong, empty for a sound pack. */
  readonly what: string;
  readonly badObjects: readonly Sha256[];
}

export async function verifyPack(
  file: string,
  input: {
    readonly pack: PackPlan;
    readonly number: number;
    readonly contents: ContentsFile;
    readonly mtime: number;
    readonly signal?: AbortSignal | undefined;
    readonly onBytes?: ((bytes: number) => void) | undefined;
  },
): Promise<PackVerdict> {
  const { pack } = input;
  const opened = await openOrdinary(file);
  if (opened === undefined) return { sha256: undefined, sizeBytes: 0, what: 'is missing', badObjects: [] };
  const { handle, sizeBytes } = opened;
  try {
    if (sizeBytes > pack.sizeBytes) {
      throw new KubedosError(
        'bundle.invalid',
        `read ${file}: ${sizeBytes} bytes, the signed root says ${pack.sizeBytes}`,
      );
    }
    const digest = createHash('sha256');
    const reader = new BlockReader(handle, { origin: file, sizeBytes, hash: digest });
    const faults: string[] = sizeBytes < pack.sizeBytes ? [`ends after ${sizeBytes} of ${pack.sizeBytes} bytes`] : [];
    const bad = new Set<Sha256>();
    const members = input.contents.members(input.number);
    try {
      await walkPack(
        reader,
        { members, mtime: input.mtime, origin: file },
        {
          body: async (member) => {
            throwIfCancelled(input.signal, 'verify');
            if ((await hashMember(member, reader)) !== member.sha256) bad.add(memberObject(member));
            input.onBytes?.(member.sizeBytes);
          },
          onDamage: (what) => void faults.push(`is damaged at ${what}`),
          onMissing: (member) => void bad.add(memberObject(member)),
        },
      );
    } finally {
      await reader.settle();
    }
    if (reader.unreadableBytes > 0) faults.push(`has ${reader.unreadableBytes} unreadable bytes`);
    if (bad.size > 0 && faults.length === 0) faults.push('holds damaged objects');
    const whole = sizeBytes === pack.sizeBytes;
    return {
      sha256: whole ? digest.digest('hex') : undefined,
      sizeBytes,
      what: faults.slice(0, 3).join(', '),
      badObjects: [...bad],
    };
  } finally {
    await handle.close();
  }
}

async function hashMember(member: PackMember, reader: BlockReader): Promise<Sha256> {
  const digest = createHash('sha256');
  for await (const chunk of reader.chunks(member.sizeBytes)) digest.update(chunk);
  return digest.digest('hex');
}
