/** What the specs of all kinds have in common. */
import { z } from 'zod';
import { canonicalPath } from '../formats/path.ts';

/** Where a package list or a key lies: relative, without a way out of its folder. */
export const relativeFile = z.string().refine((path) => {
  try {
    return canonicalPath(path, 'spec') === path;
  } catch {
    return false;
  }
}, 'must be a relative path without `..`');

export const line = z
  .string()
  .max(4096)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line');

export const keyPin = z.strictObject({
  fingerprint: z
    .string()
    .transform((text) => text.replaceAll(/\s/g, '').toUpperCase())
    .pipe(
      z.string().regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/, 'must be a full fingerprint: 40 or 64 hexadecimal digits'),
    )
    .describe('Full fingerprint of a primary key or subkey that may sign; spaces are ignored.'),
  file: relativeFile
    .optional()
    .describe('The public key, relative to keys/. Without it, one brought in by `key import` is used.'),
});

export type KeyPin = z.output<typeof keyPin>;

export const names = z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._/-]*$/, 'must be a plain name'));

/** `*` and `?` are allowed; a plain name is a pattern as well. */
export const packagePattern = z
  .string()
  .regex(/^[A-Za-z0-9*?][A-Za-z0-9+.*?_-]*$/, 'must be a package name or a pattern with * and ?');

/** The fields that every mirror has. */
export const mirrorFields = {
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be lower-case letters, digits, dots and hyphens'),
  description: z.string().optional(),
};

/** The one selector that a rule has; tells where it has none or several, and is `undefined` then. */
export function theSelector<K extends string>(
  rule: Readonly<Partial<Record<K, unknown>>>,
  selectors: readonly K[],
  context: z.RefinementCtx,
): K | undefined {
  const used = selectors.filter((selector) => rule[selector] !== undefined);
  if (used.length === 1) return used[0];
  const got = used.length === 0 ? 'none' : used.join(' and ');
  context.addIssue({ code: 'custom', message: `a rule has exactly one of ${selectors.join(', ')}; got ${got}` });
  return undefined;
}

/** A `curate:` section is there for curated mirrors, and for these alone. */
export function checkForm(
  { form, curate }: { readonly form: 'verbatim' | 'curated'; readonly curate?: unknown },
  context: z.RefinementCtx,
): void {
  if (form === 'curated' && curate === undefined)
    context.addIssue({ code: 'custom', path: ['form'], message: 'a curated mirror needs a `curate:` section' });
  if (form === 'verbatim' && curate !== undefined)
    context.addIssue({ code: 'custom', path: ['curate'], message: 'only a curated mirror has a `curate:` section' });
}

/** An issue for each of a list whose field says what one before it says; `path`: of the list. */
export function checkOnce<K extends string>(
  list: readonly { readonly [P in K]?: string | undefined }[],
  field: K,
  path: readonly string[],
  context: z.RefinementCtx,
): void {
  for (const [at, { [field]: value }] of list.entries())
    if (value !== undefined && list.findIndex((each) => each[field] === value) < at)
      context.addIssue({ code: 'custom', path: [...path, at, field], message: `${value} is there already` });
}
