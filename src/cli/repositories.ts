import type { RepoDeps } from '../publish/repositories.ts';
import type { LockOptions } from '../store/lock.ts';
import type { House } from '../wiring.ts';

/** For changes of local repositories of either kind. `lock`: how patient they are where another process writes. */
export async function repoDeps(house: House, lock?: LockOptions): Promise<RepoDeps> {
  const { PieceCache } = await import('../publish/piece-cache.ts');
  const store = await house.store();
  return {
    store: {
      objects: store.objects,
      heads: store.heads,
      file: (...place) => store.file(...place),
      withWriter: (command, work) => store.withWriter(command, work, lock),
    },
    publish: async (publication, run) => (await house.publisher())(publication, run),
    publishRpm: async (publication, run) => (await house.rpmPublisher())(publication, run),
    pieces: new PieceCache(await store.file('cache', 'pieces')),
    signing: {
      key: () => house.signer(),
      addSignature: async (prepared, run) => (await import('../exec/rpmsign.ts')).addSignature(prepared, run),
    },
    now: () => house.now(),
    recordChange: async (mirror, change) => {
      const catalog = await house.catalog();
      if (await catalog.recordChange(mirror, change)) return;
      // It holds another state than the one before, as after a lost database: then what moved is read whole.
      const { refreshCatalog } = await import('../publish/rebuild-catalog.ts');
      await refreshCatalog({ store, catalog });
    },
  };
}
