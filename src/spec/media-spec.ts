/** The `media:` section of a recipe: an installer's ISO of a vendor, with answers and a payload put in. */
import { z } from 'zod';
import { line, mirrorFields, relativeFile } from './spec-fields.ts';

export const FAMILIES = ['debian', 'ubuntu', 'rhel'] as const;
export type Family = (typeof FAMILIES)[number];

/** What boot loaders would take for their own syntax is left out; a blank parts arguments. */
const words = line.regex(/^[^'"\\{}]*$/, 'must have none of \' " \\ { }');

const place = relativeFile.describe('Where it lies on the medium, without a leading slash.');

const item = z
  .strictObject({
    mirror: mirrorFields.name.optional().describe('A mirror of the snapshot, whole.'),
    source: relativeFile.optional().describe('A file beside the recipe.'),
    at: place.optional().describe('Where it lies on the medium, without a leading slash; default: darksite/NAME.'),
  })
  .superRefine(({ mirror, source, at }, context) => {
    if ((mirror === undefined) === (source === undefined))
      context.addIssue({ code: 'custom', message: 'a payload is either a mirror or a source' });
    if (source !== undefined && at === undefined)
      context.addIssue({ code: 'custom', message: 'a source needs `at:`, its place on the medium' });
  });

export const mediaSection = z.strictObject({
  mirror: mirrorFields.name.describe('The list of files in the snapshot that has the ISO.'),
  path: relativeFile.describe('The ISO in that list.'),
  family: z.enum(FAMILIES).describe("debian: the Debian installer; ubuntu: the server's subiquity; rhel: Anaconda."),
  answers: relativeFile.describe('A file beside the recipe: preseed, autoinstall user-data, or kickstart.'),
  cmdline: words.default('').describe('What the kernel of the installer is told beside that.'),
  payload: z.array(item).default([]),
});

export type Media = z.output<typeof mediaSection>;

/** Of a recipe with `media:`, the system is the vendor's: nothing of ours goes into it. */
export function checkMedia(
  recipe: { readonly media?: Media | undefined } & Readonly<Record<string, unknown>>,
  context: z.RefinementCtx,
): void {
  if (recipe.media === undefined) return;
  for (const [key, value] of Object.entries(recipe)) {
    const given = Array.isArray(value) ? value.length > 0 : value !== undefined;
    if (given && !['name', 'description', 'media'].includes(key))
      context.addIssue({ code: 'custom', path: [key], message: 'does not go with `media:`: the answers say it' });
  }
}
