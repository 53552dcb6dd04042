/** The `curate:` section of a mirror spec: what is chosen from the upstreams, and how it is published. */
import { z } from 'zod';
import { packagePattern, theSelector } from './spec-fields.ts';

const text = z.string().min(1);

const selectors = {
  name: text.optional().describe('Exact name of a binary package.'),
  glob: text.optional().describe('Pattern of names with * and ?: linux-image-*'),
  priority: z.enum(['required', 'important', 'standard', 'optional', 'extra']).optional(),
  section: text.optional().describe('Section without its component: net, or with it: non-free/net.'),
  source: text.optional().describe('Name of the source package.'),
  task: text.optional().describe('Name of a tasksel task.'),
  essential: z.literal(true).optional().describe('Packages marked Essential.'),
  query: text.optional().describe('A dependency as in Depends: nginx (>= 1.22) | apache2. Names match Provides too.'),
  seed: text
    .optional()
    .describe(
      'File of package names, one a line (# comments; `name`, or a line of `dpkg -l` or `dpkg --get-selections`), relative to the spec.',
    ),
};

export const SELECTORS = [
  'name',
  'glob',
  'priority',
  'section',
  'source',
  'task',
  'essential',
  'query',
  'seed',
] as const;

const rule = z
  .strictObject({
    ...selectors,
    arch: text.optional().describe('Only for this architecture (or all).'),
    version: text.optional().describe('Exact version, or a relation as in Depends: >= 1.22'),
  })
  .superRefine((value, context) => void theSelector(value, SELECTORS, context));

export const curateSchema = z.strictObject({
  suite: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/)
    .describe('The published suite: the folder below dists/.'),
  codename: text.optional().describe('Default: the suite.'),
  origin: text.default('kubedos'),
  label: text.optional().describe('Default: the name of the mirror.'),
  component: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/)
    .default('main')
    .describe('The one published component.'),
  rules: z.array(rule).min(1).describe('A package is chosen if any rule matches it.'),
  closure: z
    .enum(['depends', 'recommends', 'none'])
    .default('depends')
    .describe(
      'depends: Pre-Depends and Depends come along. recommends: and Recommends where they can be met. none: nothing does.',
    ),
  exclude: z.array(packagePattern).default([]).describe('Never chosen, neither by a rule nor by the closure.'),
  versions: z.enum(['newest', 'all']).default('newest').describe('Of each name and architecture.'),
  sources: z.boolean().default(false).describe('Source packages of what was chosen (needs include.sources upstream).'),
  compressions: z
    .array(z.enum(['gz', 'zst', 'xz']))
    .min(1)
    .default(['gz', 'zst']),
  validForDays: z
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Sets Valid-Until. Better left out for a darksite.'),
});

export type CurateSpec = z.output<typeof curateSchema>;
export type CurateRule = CurateSpec['rules'][number];
