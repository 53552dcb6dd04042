/** What of a recipe is of the place where its machines stand: where their packages come from, and what travels along. */
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import { canonicalPath } from '../formats/path.ts';
import { mirrorFields, relativeFile } from './spec-fields.ts';

export const BUILD_TYPES = ['darksite', 'connected'] as const;
export type BuildType = (typeof BUILD_TYPES)[number];

export const absolutePath = z.string().refine((path) => {
  try {
    return path.startsWith('/') && canonicalPath(path.slice(1), 'recipe') === path.slice(1);
  } catch {
    return false;
  }
}, 'must be an absolute path without `..`');

/** The folder that holds the folders of the mirrors, ending in a slash. */
const folderUrl = z
  .string()
  .regex(/^https?:\/\/[^\s?#@]+$/, 'must be the URL of a channel: http://depot.example/c/stable/')
  .transform((url) => (url.endsWith('/') ? url : `${url}/`));

export const buildField = z
  .strictObject({
    type: z
      .enum(BUILD_TYPES)
      .describe('darksite: packages come from the mirrors. connected: from the public sources of the distribution.'),
    url: folderUrl
      .optional()
      .describe('darksite: where machines find a folder for each mirror that does not travel along.'),
  })
  .superRefine(({ type, url }, context) => {
    if (type === 'connected' && url !== undefined)
      context.addIssue({ code: 'custom', path: ['url'], message: 'is for darksite alone' });
  });

export type BuildSpec = z.output<typeof buildField>;

export const payloadField = z
  .array(
    z
      .strictObject({
        mirror: mirrorFields.name.optional().describe('A mirror of the snapshot, of any kind.'),
        source: relativeFile.optional().describe('A file beside the recipe.'),
        at: absolutePath.describe('The folder of the mirror, or the path of the file.'),
      })
      .superRefine(({ mirror, source }, context) => {
        if ((mirror === undefined) === (source === undefined))
          context.addIssue({ code: 'custom', message: 'a payload has exactly one of mirror and source' });
      }),
  )
  .default([])
  .describe('What travels along in the image.');

/** What is said on a command line counts before what the recipe says. `usage.argument` for what is neither. */
export function overrideBuild(
  build: BuildSpec | undefined,
  { type = build?.type ?? 'darksite', url }: Readonly<Partial<Record<'type' | 'url', string | undefined>>>,
): BuildSpec {
  const kept = type === 'darksite' ? build?.url : undefined;
  const result = buildField.safeParse({ type, url: url ?? kept });
  if (result.success) return result.data;
  const words = result.error.issues.map(({ path, message }) => `--${path[0] === 'url' ? 'url' : 'build'}: ${message}`);
  throw new KubedosError('usage.argument', words.join('; '));
}
