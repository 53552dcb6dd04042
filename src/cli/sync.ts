/** One sync as the command line makes it: the rooms put together, and the use case called. */
import type { SyncReport } from '../sync/types.ts';
import type { House, NetOptions } from '../wiring.ts';
import { clientTls } from './client-tls.ts';
import type { Context } from './command.ts';
import { type FoundSpec, readSeed } from './specs.ts';

export interface SyncCall {
  readonly dryRun?: boolean | undefined;
  readonly allow?: readonly ('rollback' | 'expired')[] | undefined;
  readonly net?: NetOptions | undefined;
}

async function publisherFor(house: House, type: FoundSpec['spec']['type']) {
  return type === 'apt' ? { publish: await house.publisher() } : { publishRpm: await house.rpmPublisher() };
}

export async function syncSpec(context: Context, found: FoundSpec, call: SyncCall = {}): Promise<SyncReport> {
  const { house } = context;
  const { syncMirror } = await import('../sync/sync-mirror.ts');
  return syncMirror(
    {
      store: await house.store(),
      fetcher: await house.fetcher({ ...call.net, tls: await clientTls(found) }),
      now: () => house.now(),
      loadKeys: (pins) => house.loadPins(pins),
      ...(found.spec.form === 'curated' && (await publisherFor(house, found.spec.type))),
      readSeed: (_spec, file) => readSeed(found, file),
      recordPackages: async (mirror, root) => {
        const { recordMirrorState } = await import('../publish/rebuild-catalog.ts');
        const [store, catalog] = [await house.store(), await house.catalog()];
        return recordMirrorState({ store, catalog }, mirror, { kind: found.spec.type, root });
      },
    },
    found.spec,
    { dryRun: call.dryRun, allow: call.allow },
    context,
  );
}
