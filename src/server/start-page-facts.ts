import { KubedosError } from '../errors.ts';
import type { ClientLines } from './client-lines.ts';
import type { ClientConfig, ServerDeps } from './deps.ts';
import type { Overview } from './overview.ts';
import type { StartPage } from './start-page.ts';

const SHOWN_SNAPSHOTS = 30;
/** The channel whose lines the start page offers, where a mirror is in several. */
const PREFERRED_CHANNEL = 'stable';

/** Gathers what the start page shows. A mirror whose lines cannot be made is shown without them. */
export async function startPageFacts(
  parts: { readonly deps: ServerDeps; readonly overview: Overview; readonly lines: ClientLines },
  base: string,
): Promise<StartPage> {
  const { deps, overview } = parts;
  const { total, snapshots } = await overview.snapshots(SHOWN_SNAPSHOTS);
  const mirrors: StartPage['mirrors'][number][] = [];
  for (const mirror of await overview.mirrors()) {
    const channel = mirror.channels.find((name) => name === PREFERRED_CHANNEL) ?? mirror.channels[0];
    const lines = channel === undefined ? undefined : await linesOrNone(parts, { channel, mirror: mirror.name, base });
    mirrors.push({ mirror, ...(channel !== undefined && { channel }), ...(lines !== undefined && { lines }) });
  }
  return {
    storeId: deps.store.identity.id,
    now: deps.now(),
    base,
    mirrors,
    channels: await overview.channels(),
    snapshots,
    snapshotTotal: total,
  };
}

async function linesOrNone(
  { deps, lines }: { readonly deps: ServerDeps; readonly lines: ClientLines },
  wanted: { readonly channel: string; readonly mirror: string; readonly base: string },
): Promise<ClientConfig | undefined> {
  try {
    return await lines.of(wanted);
  } catch (error) {
    if (!(error instanceof KubedosError)) throw error;
    deps.log({ level: 'warn', message: error.message, details: { code: error.code } });
    return undefined;
  }
}
