/** Takes from one pack, in place, what is still needed. */
import { KubedosError } from '../errors.ts';
import type { Sha256, Store } from '../store/types.ts';
import { BlockReader } from './block-reader.ts';
import { throwIfCancelled } from './cancel.ts';
import type { ContentsFile } from './contents-file.ts';
import { openOrdinary } from './documents.ts';
import { memberObject } from './names.ts';
import type { Needs, PackNeeds } from './needs.ts';
import { walkPack } from './pack-walk.ts';
import type { Bundle, PackMember } from './types.ts';
import { WorkPool } from './work-pool.ts';

/** Members up to this are read whole and stored several at a time; larger ones stream. */
const WHOLE_BYTES = 1024 * 1024;
const AT_ONCE = 16;

export interface Intake {
  readonly store: Store;
  readonly bundle: Bundle;
  readonly contents: ContentsFile;
  readonly needs: Needs;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface PackOutcome {
  /** False: there is no such file. */
  readonly there: boolean;
  /** What is not as the list says; empty where all is. Objects that came whole all the same are taken. */
  readonly what: string;
  readonly badObjects: readonly Sha256[];
}

/** Marks in `needs` what came. Thrown is what no accident does (`bundle.invalid`), and what the store cannot take. */
export async function importPack(file: string, needs: PackNeeds, intake: Intake): Promise<PackOutcome> {
  const { pack, wanted } = needs;
  const opened = await openOrdinary(file);
  if (opened === undefined) return { there: false, what: 'is missing', badObjects: [] };
  const { handle, sizeBytes } = opened;
  const reader = new BlockReader(handle, { origin: file, sizeBytes });
  const pool = new WorkPool(AT_ONCE);
  try {
    if (sizeBytes > pack.sizeBytes) {
      throw new KubedosError(
        'bundle.invalid',
        `read ${file}: ${sizeBytes} bytes, the signed root says ${pack.sizeBytes}`,
      );
    }
    const bad = new Set<Sha256>();
    const faults: string[] = sizeBytes < pack.sizeBytes ? [`ends after ${sizeBytes} of ${pack.sizeBytes} bytes`] : [];
    let index = -1;
    const take = async (member: PackMember): Promise<void> => {
      throwIfCancelled(intake.signal, 'import');
      index += 1;
      const at = index;
      if (wanted[at] !== 1) return;
      const settle = (good: boolean): void => {
        if (good) wanted[at] = 0;
        else bad.add(memberObject(member));
        intake.onBytes?.(member.sizeBytes);
      };
      if (member.extent !== null) {
        const source = { chunks: reader.chunks(member.sizeBytes), extentBytes: intake.bundle.root.extentBytes };
        settle(await intake.needs.large.write(member, member.extent, source));
      } else if (member.sizeBytes > WHOLE_BYTES) {
        settle(await put(intake.store, member, reader.chunks(member.sizeBytes)));
      } else {
        const bytes = await reader.bytes(member.sizeBytes);
        await pool.add(async () => settle(await put(intake.store, member, [bytes])));
      }
    };
    await walkPack(
      reader,
      {
        members: intake.contents.members(needs.number),
        mtime: Date.parse(intake.bundle.root.time) / 1000,
        origin: file,
      },
      {
        body: take,
        onDamage: (what) => void faults.push(`is damaged at ${what}`),
        onMissing: (member) => {
          index += 1;
          if (wanted[index] === 1) bad.add(memberObject(member));
        },
      },
    );
    await pool.drain();
    if (reader.unreadableBytes > 0) faults.push(`has ${reader.unreadableBytes} unreadable bytes`);
    if (bad.size > 0 && faults.length === 0) faults.push('holds damaged objects');
    return { there: true, what: faults.slice(0, 3).join(', '), badObjects: [...bad] };
  } finally {
    await pool.drain().catch(() => undefined);
    await reader.settle();
    await handle.close();
  }
}

/** False where the bytes are not what the list says. */
async function put(
  store: Store,
  member: PackMember,
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<boolean> {
  try {
    await store.objects.put(source, { sha256: member.sha256, sizeBytes: member.sizeBytes });
    return true;
  } catch (error) {
    if (error instanceof KubedosError && error.code === 'store.hash-mismatch') return false;
    throw error;
  }
}
