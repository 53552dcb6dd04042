/** The schema of mirrors of rpm repositories. The descriptions below are its documentation. */
import { z } from 'zod';
import { checkForm, keyPin, mirrorFields, names, relativeFile } from './spec-fields.ts';
import { yumCurateSchema } from './yum-curate-spec.ts';

const URL_FORM = 'must be http://…, https://… or file:///… without credentials and query, or a list of these';
const LIST_FORM = 'must be http://… or https://… without credentials';

const rootUrl = z
  .string()
  .regex(/^(?:https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$|file:\/\/\/[^\s?#]*$)/, URL_FORM)
  .transform((url) => url.replace(/\/+$/, ''));

const listUrl = z.string().regex(/^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/, LIST_FORM);

const filePath = z.string().regex(/^\/[^\0]+$/, 'must be an absolute path');

/** `.` for the root of the mirror; variables are expanded later. */
const repositoryPath = z
  .string()
  .refine((path) => path === '.' || relativeFile.safeParse(path).success, 'must be a relative path without `..`');

const upstream = z
  .strictObject({
    url: z
      .union([rootUrl, z.array(rootUrl).min(1)], { error: URL_FORM })
      .transform((url) => (typeof url === 'string' ? [url] : url))
      .optional()
      .describe(
        'Folder that `repositories` are in, or several in order of preference. $releasever, $basearch and the names of `vars` stand for their values.',
      ),
    metalink: listUrl
      .optional()
      .describe(
        'In place of `url`: a metalink, which gives mirrors and the checksum of repomd.xml. What it leads to is one repository for each architecture.',
      ),
    mirrorlist: listUrl
      .optional()
      .describe('In place of `url`: a list of mirrors, as for metalink, without checksums.'),
    repositories: z
      .array(repositoryPath)
      .min(1)
      .default(['.'])
      .describe(
        'Folders that hold a repodata/ each, below `url`; the mirror has them at the same paths. With metalink or mirrorlist: the one path that the mirror has it at.',
      ),
    releasever: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be a plain name')
      .optional()
      .describe('Value of $releasever.'),
    architectures: names.default([]).describe('Values of $basearch; each repository is mirrored for all of them.'),
    vars: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().regex(/^[A-Za-z0-9._-]*$/))
      .default({})
      .describe('Further variables, as in /etc/dnf/vars.'),
    client: z
      .strictObject({
        certificate: filePath.describe('PEM file.'),
        key: filePath.describe('PEM file; one that others may read is refused.'),
        ca: filePath
          .optional()
          .describe('PEM file of the authorities that vouch for the host, where those are not the well-known ones.'),
      })
      .optional()
      .describe(
        'Certificate that the host of `url` asks for, as that of Red Hat does (/etc/pki/entitlement). It goes to that host alone.',
      ),
    keys: z
      .array(keyPin)
      .default([])
      .describe('Who may sign. While it is empty the mirror cannot be synced: see docs/keys.md.'),
    tree: z
      .boolean()
      .default(false)
      .describe(
        'The repositories are installable trees: .treeinfo comes along with the images that it names. Nobody signs it, so it is taken over https alone.',
      ),
    verify: z
      .array(z.enum(['metadata', 'packages']))
      .min(1)
      .default(['metadata', 'packages'])
      .describe(
        'metadata: repomd.xml must be signed (repomd.xml.asc). packages: each package must be. Where upstream signs one alone, name that one.',
      ),
  })
  .superRefine((value, context) => {
    const { url, metalink, mirrorlist, repositories, architectures } = value;
    const given = [url, metalink, mirrorlist].filter((each) => each !== undefined);
    if (given.length !== 1)
      context.addIssue({ code: 'custom', message: 'has exactly one of url, metalink, mirrorlist' });
    if (url === undefined && repositories.length > 1)
      context.addIssue({
        code: 'custom',
        path: ['repositories', 1],
        message: 'a metalink or mirrorlist leads to one repository',
      });
    if (value.client !== undefined && !(url ?? []).some((each) => each.startsWith('https://')))
      context.addIssue({ code: 'custom', path: ['client'], message: 'a client certificate needs a url: of https' });
    const texts = [...(url ?? []), metalink ?? '', mirrorlist ?? '', ...repositories].join(' ');
    if (value.tree && url !== undefined && !url.some((each) => /^(?:https|file):/.test(each)))
      context.addIssue({ code: 'custom', path: ['tree'], message: 'needs a url: of https' });
    const uses = (name: string): boolean => new RegExp(`\\$(?:${name}\\b|\\{${name}\\})`).test(texts);
    if (uses('releasever') && value.releasever === undefined)
      context.addIssue({ code: 'custom', path: ['releasever'], message: 'is used and has no value' });
    if (uses('basearch') && architectures.length === 0)
      context.addIssue({ code: 'custom', path: ['architectures'], message: '$basearch is used and has no value' });
    if (architectures.length > 1 && repositories.some((path) => !/\$(?:basearch\b|\{basearch\})/.test(path)))
      context.addIssue({
        code: 'custom',
        path: ['repositories'],
        message: 'with several architectures each path names $basearch',
      });
  });

export const yumSpecSchema = z
  .strictObject({
    ...mirrorFields,
    type: z.literal('yum'),
    form: z
      .enum(['verbatim', 'curated'])
      .describe(
        "verbatim: upstream's signed bytes are kept. curated: chosen packages of all upstreams in one repository for each architecture, with metadata signed by this store.",
      ),
    upstreams: z.array(upstream).min(1),
    missing: z
      .enum(['fail', 'warn'])
      .default('fail')
      .describe(
        'What happens when upstream lists a package that it does not serve. fail: the sync fails. warn: it is left out with a warning.',
      ),
    curate: yumCurateSchema.optional(),
  })
  .superRefine((value, context) => {
    checkForm(value, context);
    for (const [at, { tree }] of value.upstreams.entries())
      if (tree && value.form === 'curated')
        context.addIssue({
          code: 'custom',
          path: ['upstreams', at, 'tree'],
          message: 'only a verbatim mirror has trees',
        });
  });

/** A checked spec with its defaults filled in. */
export type YumSpec = z.output<typeof yumSpecSchema>;
export type YumUpstream = YumSpec['upstreams'][number];
