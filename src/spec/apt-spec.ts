/** The schema of mirrors of apt repositories. The descriptions below are its documentation. */
import { z } from 'zod';
import { curateSchema } from './apt-curate-spec.ts';
import { checkForm, keyPin, mirrorFields, names, relativeFile } from './spec-fields.ts';

const URL_FORM =
  'must be http://…, https://… or file:///… without credentials and query, or the word system; or a list of these';

const upstreamUrl = z
  .string()
  .regex(/^(?:system$|https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$|file:\/\/\/[^\s?#]*$)/, URL_FORM)
  .transform((url) => url.replace(/\/+$/, ''));

const include = z.strictObject({
  sources: z.boolean().default(false).describe('Sources indexes and source packages.'),
  udebs: z.boolean().default(false).describe('Packages of the Debian installer.'),
  translations: z
    .array(z.string().regex(/^[A-Za-z_@]+$/))
    .default(['en'])
    .describe('Languages of long descriptions.'),
  contents: z.boolean().default(false).describe('Contents indexes, for apt-file.'),
  dep11: z.boolean().default(false).describe('AppStream metadata and icons.'),
  cnf: z.boolean().default(false).describe('Command-not-found indexes (Ubuntu).'),
  installer: z.boolean().default(false).describe('Images of the Debian installer, with their signed SHA256SUMS.'),
});

/** `/`, `./` or `folder/`: a flat repository, without components. */
export function isFlatSuite(suite: string): boolean {
  return suite.endsWith('/');
}

const suiteName = z.string().refine((suite) => {
  if (suite === '/' || suite === './') return true;
  return relativeFile.safeParse(isFlatSuite(suite) ? suite.slice(0, -1) : suite).success;
}, 'must be a suite (bookworm, bookworm-updates), or end in / for a flat repository');

const upstream = z
  .strictObject({
    url: z
      .union([upstreamUrl, z.array(upstreamUrl).min(1)], { error: URL_FORM })
      .transform((url) => (typeof url === 'string' ? [url] : url))
      .describe(
        "Root of the archive, or several in order of preference. `system` stands for what this host's own apt uses for these suites.",
      ),
    suites: z.array(suiteName).min(1),
    components: names.default([]).describe('Left out for a flat repository, whose suite ends in /.'),
    architectures: names
      .default([])
      .describe(
        'Packages of `all` come along. A flat repository may leave it out; a verbatim mirror then has all that it has, a curated one what fits the architectures of its other upstreams.',
      ),
    keys: z
      .array(keyPin)
      .default([])
      .describe('Who may sign. While it is empty the mirror cannot be synced: see docs/keys.md.'),
    signedAs: names
      .default([])
      .describe(
        'Further names that Suite or Codename of the signed Release may carry, where they differ from `suites`.',
      ),
    include: include.prefault({}),
  })
  .superRefine((value, context) => {
    const flat = value.suites.filter(isFlatSuite);
    if (flat.length > 0 && flat.length < value.suites.length) {
      context.addIssue({
        code: 'custom',
        path: ['suites'],
        message: 'flat suites (ending in /) go into an upstream of their own',
      });
    } else if (flat.length > 0 && value.components.length > 0) {
      context.addIssue({ code: 'custom', path: ['components'], message: 'a flat repository has no components' });
    } else if (flat.length === 0) {
      if (value.components.length === 0)
        context.addIssue({ code: 'custom', path: ['components'], message: 'names no component' });
      if (value.architectures.length === 0)
        context.addIssue({ code: 'custom', path: ['architectures'], message: 'names no architecture' });
    }
    const reserved = value.architectures.findIndex((name) => name === 'all' || name === 'source');
    if (reserved >= 0)
      context.addIssue({
        code: 'custom',
        path: ['architectures', reserved],
        message: '`all` comes along by itself; sources are `include: {sources: true}`',
      });
  });

export const aptSpecSchema = z
  .strictObject({
    ...mirrorFields,
    type: z.literal('apt'),
    form: z
      .enum(['verbatim', 'curated'])
      .describe(
        "verbatim: upstream's signed bytes are kept. curated: chosen packages, with an index signed by this store.",
      ),
    upstreams: z.array(upstream).min(1),
    missing: z
      .enum(['fail', 'warn', 'skip-optional'])
      .default('fail')
      .describe(
        'What happens when upstream lists a package that it does not serve. fail: the sync fails. warn: it is left out with a warning. skip-optional: it is left out if its priority is optional or extra, otherwise the sync fails.',
      ),
    curate: curateSchema.optional(),
  })
  .superRefine((value, context) => {
    checkForm(value, context);
    if (value.form === 'curated' && value.upstreams.every(({ architectures }) => architectures.length === 0))
      context.addIssue({
        code: 'custom',
        path: ['upstreams', 0],
        message: 'names no architecture: a curated mirror needs one, of flat repositories too',
      });
    if (value.form === 'verbatim' && value.upstreams.length > 1)
      context.addIssue({
        code: 'custom',
        path: ['upstreams', 1],
        message: 'a verbatim mirror has exactly one upstream',
      });
  });

/** A checked spec with its defaults filled in. */
export type AptSpec = z.output<typeof aptSpecSchema>;
export type AptUpstream = AptSpec['upstreams'][number];
