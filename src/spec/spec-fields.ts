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

/** The fields that every mirror has. */
export const mirrorFields = {
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be lower-case letters, digits, dots and hyphens'),
  description: z.string().optional(),
};
