/** The schema of recipes (recipes/NAME.yaml): what a machine's system is made of. docs/recipes.md is made for people. */
import { z } from 'zod';
import { diskField } from './disk-spec.ts';
import { checkMedia, mediaSection } from './media-spec.ts';
import { absolutePath, buildField, payloadField } from './site-spec.ts';
import { checkOnce, line, mirrorFields, names, relativeFile } from './spec-fields.ts';
import { readSpecYaml } from './yaml-spec.ts';

export const OUTPUTS = [
  'raw',
  'qcow2',
  'qcow2-zstd',
  'vmdk',
  'vhd',
  'gcp',
  'ova',
  'aws',
  'firecracker',
  'oci',
  'iso',
  'live',
  'netboot',
] as const;
export type OutputName = (typeof OUTPUTS)[number];

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
  shell: absolutePath.optional().describe('Default: /bin/bash.'),
  keys: z
    .array(line.regex(/^(?:ssh-|ecdsa-|sk-)\S+ \S+/, 'must be a public key as in authorized_keys'))
    .default([])
    .describe('Public keys that may log in. There are no passwords.'),
});

const base = z.discriminatedUnion('distribution', [
  z.strictObject({
    distribution: z.literal('debian'),
    suite: z.string().regex(/^[a-z][a-z0-9-]*$/),
    architecture: z.enum(['amd64']),
  }),
  z.strictObject({
    distribution: z.literal('el'),
    release: z.string().regex(/^[1-9][0-9]?$/, 'must be a major release: "9"'),
    architecture: z.enum(['x86_64']),
  }),
]);

export type RecipeBase = z.output<typeof base>;
/** How a system is put together. */
export type Family = RecipeBase['distribution'];

const unit = z
  .string()
  .regex(/^[A-Za-z0-9@_.:\\-]+\.(?:service|socket|timer|target|path|mount)$/, 'must be a unit, as nginx.service');

const installer = z.strictObject({
  disk: z
    .string()
    .regex(
      /^(?:(?:serial|wwn|id|path)=[A-Za-z0-9._:+-]+|size=(?:[0-9]+[MGT]iB)?\.\.(?:[0-9]+[MGT]iB)?|\/dev\/[a-z0-9/]+)$/,
      'must be serial=, wwn=, id=, path=, size=LEAST..MOST (100GiB..2TiB) or /dev/NAME',
    )
    .optional()
    .describe('The one disk that is written to. Without it, the installer shows the disks and stops.'),
  wipe: z.boolean().default(false).describe('Whether a disk that is not empty is written to.'),
  end: z.enum(['reboot', 'poweroff']).default('reboot').describe('What the machine does when it is installed.'),
  payload: names.default([]).describe('Mirrors of the snapshot that travel along, and are copied to /srv/darksite.'),
});

/** What `timezone:` and `locale:` write. */
const OWN_FILES = { timezone: ['/etc/localtime', '/etc/timezone'], locale: ['/etc/default/locale'] } as const;

const recipeFields = z.strictObject({
  ...mirrorFields,
  extends: line
    .min(1)
    .optional()
    .describe('The recipe that this one adds to: the name of a shipped one, or a file beside this one.'),
  base: base
    .optional()
    .describe(
      'What the first of the chain begins with: the smallest Debian that has apt; of the RHEL family, nothing.',
    ),
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
  build: buildField.optional().describe('Where machines get packages from later; without it, from nowhere.'),
  payload: payloadField,
  disk: diskField.optional(),
  oci: z
    .strictObject({
      entrypoint: z.array(line).min(1).optional(),
      cmd: z.array(line).min(1).optional(),
      user: line.min(1).optional().describe('Name or number, and group: app:app.'),
    })
    .optional()
    .describe('What a container of the output oci runs; without it, a shell.'),
  outputs: z.array(z.enum(OUTPUTS)).min(1).optional(),
  installer: installer.optional().describe('What the ISO of output `iso` does by itself.'),
  media: mediaSection.optional(),
});

const recipeSchema = recipeFields.superRefine((recipe, context) => {
  checkFiles(recipe, context);
  checkOnce(recipe.users, 'name', ['users'], context);
  checkMedia(recipe, context);
});

type Fields = z.output<typeof recipeFields>;

function checkFiles({ files, ...recipe }: Fields, context: z.RefinementCtx): void {
  const taken = new Map<string, string>();
  for (const field of ['timezone', 'locale'] as const)
    for (const path of recipe[field] === undefined ? [] : OWN_FILES[field]) taken.set(path, `${field}: writes it`);
  for (const [at, { path }] of files.entries()) {
    const issue = (message: string) => context.addIssue({ code: 'custom', path: ['files', at, 'path'], message });
    const prior = taken.get(path);
    if (prior !== undefined) issue(`${path} is there already: ${prior}`);
    const parent = files.find((each) => path.startsWith(`${each.path}/`));
    if (parent !== undefined) issue(`${path} lies below ${parent.path}, which is a file`);
    taken.set(path, `files[${at}] is that file`);
  }
}

export type Recipe = z.output<typeof recipeSchema>;
export type Installer = z.output<typeof installer>;
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
