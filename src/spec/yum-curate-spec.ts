/** The `curate:` section of the spec of a yum mirror: what is chosen from the upstreams, and how it is published. */
import { z } from 'zod';
import { packagePattern, theSelector } from './spec-fields.ts';

const text = z.string().min(1);

const selectors = {
  name: text.optional().describe('Exact name of a package.'),
  glob: text.optional().describe('Pattern of names with * and ?: kernel-*'),
  group: text.optional().describe('Id of a package group: its mandatory, default and conditional packages.'),
  environment: text.optional().describe('Id of an environment: the packages of its groups.'),
  module: z
    .string()
    .regex(/^[^:/\s]+(?::[^:/\s]+)?(?:\/[^:/\s]+)?$/, 'must be name, name:stream or name:stream/profile')
    .optional()
    .describe(
      'Module stream: `nodejs:20` for all of its packages, `nodejs:20/common` for those of a profile; without a stream the default one.',
    ),
  advisory: text
    .optional()
    .describe('Packages of advisories: of a kind (security, bugfix, enhancement, newpackage) or of one id.'),
  source: text.optional().describe('Name of the source package.'),
  query: text
    .optional()
    .describe('A dependency as in Requires: `webserver`, `/usr/bin/python3`, `(nginx >= 1.22 or httpd)`.'),
  seed: text
    .optional()
    .describe(
      'File of packages, one a line (# comments; `name`, `name.arch`, or a line of `rpm -qa`), relative to the spec.',
    ),
};

export const YUM_SELECTORS = [
  'name',
  'glob',
  'group',
  'environment',
  'module',
  'advisory',
  'source',
  'query',
  'seed',
] as const;

const rule = z
  .strictObject({
    ...selectors,
    optional: z.boolean().default(false).describe('Of group and environment: the optional packages, too.'),
    arch: text
      .optional()
      .describe(
        'Only packages of this architecture: i686 for the 32-bit ones beside x86_64. Default: the own one, and noarch.',
      ),
    version: text
      .optional()
      .describe('Exact version (`1.22` or `1.22-3`, of any epoch; `1:1.22`), or a relation as in Requires: >= 1.22'),
  })
  .superRefine((value, context) => {
    const used = theSelector(value, YUM_SELECTORS, context);
    if (value.optional && used !== undefined && used !== 'group' && used !== 'environment')
      context.addIssue({ code: 'custom', path: ['optional'], message: 'belongs to group and environment' });
  });

export const yumCurateSchema = z.strictObject({
  rules: z.array(rule).min(1).describe('A package is chosen if any rule matches it.'),
  closure: z
    .enum(['requires', 'weak', 'none'])
    .default('requires')
    .describe(
      'requires: what packages require comes along. weak: and what they recommend, and what supplements them, where it can be met. none: nothing does.',
    ),
  exclude: z.array(packagePattern).default([]).describe('Never chosen, neither by a rule nor by the closure.'),
  versions: z
    .union([z.enum(['newest', 'all']), z.number().int().min(1).max(1000)])
    .default('newest')
    .describe('Of each name, architecture and module stream: the newest one, so many of the newest, or all.'),
  advisories: z
    .array(z.enum(['security', 'bugfix', 'enhancement', 'newpackage']))
    .min(1)
    .optional()
    .describe(
      'Updates of these kinds alone: a version that only advisories of other kinds name is passed over. [security] keeps a release as it was, with its security fixes.',
    ),
  sources: z
    .boolean()
    .default(false)
    .describe('Source packages of what was chosen (needs repositories that have them).'),
  debuginfo: z
    .boolean()
    .default(false)
    .describe('Debug packages of what was chosen (needs repositories that have them).'),
  compression: z.enum(['gz', 'zst']).default('gz').describe('Of the metadata. zst is read from RHEL 8 on.'),
});

export type YumCurateSpec = z.output<typeof yumCurateSchema>;
export type YumCurateRule = YumCurateSpec['rules'][number];
