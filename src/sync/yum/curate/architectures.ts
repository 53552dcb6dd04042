/** Architectures of rpm packages, as a repository for machines of one takes them. */

export const isSource = (architecture: string): boolean => architecture === 'src' || architecture === 'nosrc';

/** What runs on a machine of the architecture: rpm's arch_compat, as far as distributions build for it. */
const COMPATIBLE: Readonly<Record<string, readonly string[]>> = {
  x86_64: ['x86_64', 'x86_64_v2', 'x86_64_v3', 'x86_64_v4', 'i686', 'i586', 'i486', 'i386'],
  i386: ['i686', 'i586', 'i486', 'i386'],
  armhfp: ['armv7hl', 'armv7hnl', 'armv6hl'],
  ppc64le: ['ppc64le', 'ppc64p7'],
};

/** True of noarch. Where no architecture is told, all will do. */
export function runsOn(basearch: string, architecture: string): boolean {
  if (basearch === '' || architecture === 'noarch') return true;
  return (COMPATIBLE[basearch] ?? [basearch]).includes(architecture);
}

/** What is chosen where a rule names no architecture: of x86_64 not what is for 32 bits. */
export function isNative(basearch: string, architecture: string): boolean {
  if (!runsOn(basearch, architecture)) return false;
  return basearch !== 'x86_64' || architecture === 'noarch' || architecture.startsWith('x86_64');
}
