/** What a local repository is called and how it is laid out; lies in the memory of its head. */
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import type { Generations } from '../formats/apt/publication.ts';
import type { MirrorHead } from '../store/types.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const name = z.string().max(100).regex(NAME, 'must be a plain name: letters, digits, +, dots, hyphens');
const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\S(?:[^\p{Cc}]*\S)?$/u, 'must be one line');
const path = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*(?:\/[A-Za-z0-9][A-Za-z0-9+._-]*)*$/, 'must be plain names, parted by /');

const repoSettingsSchema = z.strictObject({
  /** The one suite: the folder below dists/. Further suites are further repositories. */
  suite: path,
  codename: name,
  origin: line,
  label: line,
  description: line.optional(),
  /** Packages go into the first unless told otherwise. */
  components: z.array(path).min(1),
  /** Grows as packages come in. Packages of `all` are in the index of each. */
  architectures: z.array(name.refine((value) => value !== 'all' && value !== 'source', 'comes along by itself')).min(1),
  compressions: z.array(z.enum(['gz', 'zst', 'xz'])).min(1),
});

export type RepoSettings = z.output<typeof repoSettingsSchema>;

/** What must be said; the rest has customary values. */
export type NewRepo = Pick<RepoSettings, 'suite'> & Partial<RepoSettings>;

/** `usage.argument` with what is wrong. */
export function repoSettings(mirror: string, wanted: NewRepo): RepoSettings {
  const parsed = repoSettingsSchema.safeParse({
    codename: wanted.suite.replaceAll('/', '-'),
    origin: 'kubedos',
    label: mirror,
    components: ['main'],
    architectures: ['amd64'],
    compressions: ['gz', 'zst'],
    ...wanted,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new KubedosError(
    'usage.argument',
    `create repository ${mirror}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not usable'}`,
  );
}

const memorySchema = z.looseObject({
  repo: repoSettingsSchema,
  /** ISO 8601: the Date of the newest Release, which the next one must not precede. */
  published: z.string(),
  generations: z.array(z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() }))),
});

export interface RepoMemory {
  readonly repo: RepoSettings;
  readonly published: string;
  readonly generations: Generations;
}

/** `repo.not-local` for mirrors of another form. */
export function repoMemory(head: MirrorHead): RepoMemory {
  if (head.form !== 'local' || head.kind !== 'apt') {
    throw new KubedosError(
      'repo.not-local',
      `change ${head.name}: expected a local apt repository, it is a ${head.form} ${head.kind} mirror`,
      { hint: 'make one with `kubedos repo create`' },
    );
  }
  const parsed = memorySchema.safeParse(head.memory);
  if (parsed.success) return parsed.data;
  throw new KubedosError('store.corrupt', `read head of ${head.name}: its memory is not that of a local repository`, {
    cause: parsed.error,
  });
}
