import type { Capability } from '../../../formats/rpm/package.ts';
import { parseEvr } from '../../../formats/rpm/version.ts';

/** The versions of a capability as a short text, of which a table keeps each once: `GE 1:2.0-1`. */
export function rangeText({ flags, epoch = '0', version = '', release = '' }: Omit<Capability, 'name'>): string {
  return `${flags} ${epoch}:${version}${release === '' ? '' : `-${release}`}`;
}

/** Of what `rangeText` gave. */
export function rangeOf(text: string): Omit<Capability, 'name'> {
  const space = text.indexOf(' ');
  const { epoch, version, release } = parseEvr(text.slice(space + 1));
  return { flags: text.slice(0, space) as Capability['flags'], epoch, version, release };
}

/** `/usr/bin/python3`, and those of `(/bin/sh or busybox)`. */
export function pathsIn(name: string): string[] {
  if (name.startsWith('/')) return [name];
  return name.startsWith('(') ? [...name.matchAll(/(?<=[\s(])\/[^\s()]+/g)].map(([path]) => path) : [];
}
