/** A repository of an upstream as it is now: fetched, verified, checked against what is remembered. */
import { KubedosError } from '../../errors.ts';
import { inFolder, MAX_REPOMD_BYTES } from '../../formats/rpm/layout.ts';
import { parseRepomd, type Repomd } from '../../formats/rpm/repomd.ts';
import type { YumSpec } from '../../spec/yum-spec.ts';
import type { Keyring } from '../../trust/types.ts';
import { checkRollback } from '../root-checks.ts';
import { givenRoot, rootMemory } from '../root-memory.ts';
import { isUnchanged } from '../session.ts';
import type { CheckContext, FetchedRoot, ReadContext, RootState, UpstreamRoot } from '../upstream-root.ts';
import type { RepomdSource } from './repomd-source.ts';
import type { RepositoryRequest } from './repositories.ts';

export interface RepositoryState extends RootState {
  readonly request: RepositoryRequest;
  readonly repomd: Repomd;
  /** Where its files are. */
  readonly urls: readonly string[];
  readonly keyring: Keyring;
}

export interface YumKind {
  readonly spec: YumSpec;
  readonly state: RepositoryState;
}

export interface RepositoryDeps extends RepomdSource {
  readonly loadKeyring: () => Promise<Keyring>;
}

/** Verifies what was fetched, and reads it. */
export async function readRepository(
  request: RepositoryRequest,
  fetched: FetchedRoot,
  context: ReadContext & RepositoryDeps & Pick<UpstreamRoot, 'fetch'>,
): Promise<RepositoryState> {
  const { objects, check } = context;
  const at = { source: request.source, fetch: () => context.fetch() };
  const given = await givenRoot(at, fetched, { known: check.known, objects, maxBytes: MAX_REPOMD_BYTES });
  if (given.form === 'inline')
    throw new KubedosError('internal.bug', `sync ${request.source}: a clearsigned repomd.xml`);
  const { document, signature } = given;
  const keyring = await context.loadKeyring();
  const origin = `${request.source} repomd.xml`;
  const { verify } = request.upstream;
  const signers = signature === null ? [] : (await keyring.verifyDetached(document, signature, origin)).signers;
  const repomd = await parseRepomd(document, origin);
  const revision = revisionOf(repomd);
  checkRollback(newest(repomd), check);
  checkRevision(revision, check);
  const folder = inFolder(request.folder, 'repodata');
  const files = [{ path: `${folder}/repomd.xml`, bytes: document }];
  if (signature !== null) files.push({ path: `${folder}/repomd.xml.asc`, bytes: signature });
  const fingerprints = [...new Set(signers.map(({ primary }) => primary))].sort();
  return {
    request,
    repomd,
    urls: context.mirrors.urls,
    keyring,
    files,
    evidence: { document, signature, keyring: Buffer.from(keyring.armored()), fingerprints, verified: verify },
    memory: rootMemory(given, {
      copy: null,
      date: newest(repomd)?.toISOString() ?? null,
      ...(revision !== undefined && { revision }),
      validUntil: null,
      fingerprints,
    }),
    changed: !isUnchanged(fetched, check.known),
  };
}

/** A repomd.xml has no date of its own: the newest of what it lists stands for it. */
function newest({ records }: Repomd): Date | undefined {
  const times = records.flatMap(({ timestamp }) => (timestamp === undefined ? [] : [timestamp]));
  const time = Math.max(...times);
  // 9999-12-31: what is later is no time.
  return times.length === 0 || time > 253_402_300_799 ? undefined : new Date(time * 1000);
}

function revisionOf({ revision }: Repomd): number | undefined {
  return revision !== undefined && /^\d{1,15}$/.test(revision) ? Number(revision) : undefined;
}

/** `trust.rollback`: smaller than the greatest that was accepted. A revision that is no number says nothing. */
function checkRevision(revision: number | undefined, { known, allow, source }: CheckContext): void {
  if (known?.revision === undefined || revision === undefined || allow.includes('rollback')) return;
  if (revision >= known.revision) return;
  throw new KubedosError(
    'trust.rollback',
    `verify ${source}: its revision is ${revision}, and ${known.revision} was accepted before`,
    {
      hint: 'upstream, or somebody between, shows an old state; to accept it once: --allow rollback',
      details: { source },
    },
  );
}
