/** Small facts of a package in one byte: bits 0-2 priority (its place in PRIORITIES, 7 for none), 3 essential, 4-5 multi-arch. */
import type { PackageEntry } from '../../../formats/apt/packages.ts';

export type MultiArch = 'no' | 'same' | 'foreign' | 'allowed';
export const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra'] as const;
export type Priority = (typeof PRIORITIES)[number];

const MULTI_ARCH: readonly MultiArch[] = ['no', 'same', 'foreign', 'allowed'];
const NO_PRIORITY = 7;
const ESSENTIAL_BIT = 8;
const MULTI_ARCH_SHIFT = 4;

export function packageFlags(entry: PackageEntry): number {
  const priority = PRIORITIES.indexOf(entry.priority as Priority);
  const multiArch = Math.max(0, MULTI_ARCH.indexOf(entry.multiArch as MultiArch));
  const essential = entry.essential ? ESSENTIAL_BIT : 0;
  return (priority < 0 ? NO_PRIORITY : priority) | essential | (multiArch << MULTI_ARCH_SHIFT);
}

/** Place in PRIORITIES; 7 for none or an unknown one, which sorts last. */
export function priorityRank(flags: number): number {
  return flags & NO_PRIORITY;
}

export function isEssential(flags: number): boolean {
  return (flags & ESSENTIAL_BIT) !== 0;
}

export function multiArchOf(flags: number): MultiArch {
  return MULTI_ARCH[flags >> MULTI_ARCH_SHIFT] ?? 'no';
}
