/** Which members of which packs the receiver still lacks. The store itself is the journal: what it holds is not read again. */
import type { Store } from '../store/types.ts';
import type { ContentsFile } from './contents-file.ts';
import { LargeObjects } from './large-objects.ts';
import type { Bundle, PackMember, PackPlan } from './types.ts';

const PARALLEL = 64;

export interface PackNeeds {
  readonly pack: PackPlan;
  /** From 1, through the whole bundle. */
  readonly number: number;
  readonly volume: number;
  /** One for each member in order: 1 where it is needed. */
  readonly wanted: Uint8Array;
}

export class Needs {
  readonly packs: readonly PackNeeds[];
  readonly large: LargeObjects;
  readonly neededBytes: number;

  private constructor(packs: readonly PackNeeds[], large: LargeObjects, neededBytes: number) {
    this.packs = packs;
    this.large = large;
    this.neededBytes = neededBytes;
  }

  /** Asks the store about every object of the list; one byte of memory a member. */
  static async scan(store: Store, bundle: Bundle, contents: ContentsFile): Promise<Needs> {
    const large = new LargeObjects(store);
    const packs: PackNeeds[] = [];
    let neededBytes = 0;
    let number = 0;
    for (const [index, { packs: plans }] of bundle.root.volumes.entries()) {
      for (const pack of plans) {
        number += 1;
        const wanted = new Uint8Array(pack.members);
        let at = 0;
        for await (const batch of contents.members(number)) {
          for (let from = 0; from < batch.length; from += PARALLEL) {
            const part = batch.slice(from, from + PARALLEL);
            const needed = await Promise.all(part.map((member) => isNeeded(store, large, member)));
            for (const [offset, need] of needed.entries()) {
              if (need) neededBytes += part[offset]?.sizeBytes ?? 0;
              wanted[at + offset] = need ? 1 : 0;
            }
            at += part.length;
          }
        }
        packs.push({ pack, number, volume: index + 1, wanted });
      }
    }
    return new Needs(packs, large, neededBytes);
  }
}

export function countOf(wanted: Uint8Array): number {
  return wanted.reduce((sum, one) => sum + one, 0);
}

async function isNeeded(store: Store, large: LargeObjects, member: PackMember): Promise<boolean> {
  if (member.extent !== null) return large.isNeeded(member, member.extent);
  const there = await store.objects.stat(member.sha256);
  return there?.sizeBytes !== member.sizeBytes || store.bad.has(member.sha256);
}
