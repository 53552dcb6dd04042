/** The schema of recipes (recipes/NAME.yaml): what a machine's system is made of. docs/recipes.md is made for people. */
import { z } from 'zod';
import { canonicalPath } from '../formats/path.ts';
import { checkMedia, mediaSection } from './media-spec.ts';
import { line, mirrorFields, names, relativeFile } from './spec-fields.ts';
import { readSpecYaml } from './yaml-spec.ts';

export const OUTPUTS = ['raw', 'qcow2', 'vmdk', 'vhd', 'gcp'] as const;
export type OutputName = (typeof OUTPUTS)[number];

const absolutePath = z.string().refine((path) => {
  try {
    return path.startsWith('/') && canonicalPath(path.slice(1), 'recipe') === path.slice(1);
  } catch {
    return false;
  }
}, 'must be an absolute path without `..`');

const file = z
  .strictObject({
    path: absolutePath,
    content: z.string().optional().describe('The text itself.'),
    source: relativeFile.optional().describe('A file beside the recipe.'),
    link: line.min(1).optional().describe('Where a symbolic link points.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3,4}$/, 'must be octal digits: "0644"')
      .optional(),
  })
  .superRefine(({ content, source, link, mode }, context) => {
    const given = [content, source, link].filter((each) => each !== undefined).length;
    if (given !== 1)
      context.addIssue({ code: 'custom', message: 'a file has exactly one of content, source and link' });
    if (link !== undefined && mode !== undefined)
      context.addIssue({ code: 'custom', path: ['mode'], message: 'a symbolic link has no mode' });
  });

const user = z.strictObject({
  name: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a user name: lower-case letters, digits, hyphens'),
  uid: z.number().int().min(100).max(60_000).optional(),
  groups: z.array(z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/)).default([]),
  shell: absolutePath.default('/bin/bash'),
  keys: z
    .array(line.regex(/^(?:ssh-|ecdsa-|sk-)\S+ \S+/, 'must be a public key as in authorized_keys'))
    .default([])
    .describe('Public keys that may log in. There are no passwords.'),
});

const unit = z
  .string()
  .regex(/^[A-Za-z0-9@_.:\\-]+\.(?:service|socket|timer|target|path|mount)$/, 'must be a unit, as nginx.service');

const size = z
  .string()
  .regex(/^[1-9][0-9]*(?:MiB|GiB)$/, 'must be whole MiB or GiB: 2GiB')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('GiB') ? 1024 ** 3 : 1024 ** 2));

const recipeSchema = z
  .strictObject({
    ...mirrorFields,
    extends: line
      .min(1)
      .optional()
      .describe('The recipe that this one adds to: the name of a shipped one, or a file beside this one.'),
    base: z
      .strictObject({
        distribution: z.enum(['debian']),
        suite: z.string().regex(/^[a-z][a-z0-9-]*$/),
        architecture: z.enum(['amd64']),
      })
      .optional()
      .describe('What the first of the chain begins with: the smallest system that has apt.'),
    mirrors: names.default([]).describe('Mirrors of the snapshot that packages are taken from.'),
    packages: names.default([]),
    files: z.array(file).default([]),
    users: z.array(user).default([]),
    enable: z.array(unit).default([]),
    mask: z.array(unit).default([]),
    hooks: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
          run: z.string().min(1).describe('A script for /bin/sh, run in the system after all else, without a network.'),
        }),
      )
      .default([]),
    cmdline: line.optional().describe('What the kernel is told, beside its root.'),
    timezone: z
      .string()
      .regex(/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/)
      .optional(),
    locale: z
      .string()
      .regex(/^[A-Za-z0-9_.@-]+$/)
      .optional(),
    disk: z.strictObject({ size: size.describe('Of the whole disk.') }).optional(),
    outputs: z.array(z.enum(OUTPUTS)).min(1).optional(),
    media: mediaSection.optional(),
  })
  .superRefine(checkMedia);

export type Recipe = z.output<typeof recipeSchema>;
export type RecipeFile = Recipe['files'][number];

/** `spec.invalid` lists every fault as `file:line: path: what is wrong`. */
export function parseRecipe(text: string, file: string): Recipe {
  return readSpecYaml(text, file, recipeSchema);
}

/** JSON Schema (2020-12) of the YAML as people write it: docs/schema/recipe.schema.json. */
export function recipeJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input', target: 'draft-2020-12' });
  return { title: 'kubedos recipe', ...schema };
}
