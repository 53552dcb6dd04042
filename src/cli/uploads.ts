/** Changes of local repositories for those who hold a token: what `repo add` and `repo remove` do, over HTTP. */
import type { RepoReport } from '../publish/local-repo.ts';
import type { LocalRepos, LogEvent } from '../server/deps.ts';
import type { House } from '../wiring.ts';
import { repoDeps } from './repositories.ts';

/**
 * The writer's lock is taken for each change, after its body is here. Another writer may be done soon; a sync holds the
 * lock for hours, and then the client is told to come back (`store.locked`, 503 with Retry-After).
 */
const PATIENCE_MS = 10_000;

export function uploads(house: House, log: (event: LogEvent) => void): LocalRepos {
  const told = (by: string, report: RepoReport): RepoReport => {
    const { mirror, added, removed } = report;
    const message = `${by} changed repository ${mirror}: ${added.length} added, ${removed.length} removed`;
    log({ level: 'info', message, details: { added, removed } });
    return report;
  };
  const open = async (signal: AbortSignal) => {
    const { changeRepository } = await import('../publish/repositories.ts');
    return { changeRepository, deps: await repoDeps(house, { waitMs: PATIENCE_MS, signal }) };
  };
  return {
    async add({ repo, body, component, force, by, signal }) {
      const { changeRepository, deps } = await open(signal);
      const add = [{ origin: `what ${by.name} sent`, source: body, component }];
      return told(by.name, await changeRepository(deps, repo, { add, force }, { signal }));
    },
    async remove({ repo, name, version, architecture, by, signal }) {
      const { changeRepository, deps } = await open(signal);
      return told(
        by.name,
        await changeRepository(deps, repo, { remove: [{ name, version, architecture }] }, { signal }),
      );
    },
  };
}
