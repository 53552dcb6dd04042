/** A channel rollback as clients accept it: an older state as a new snapshot, its lists signed anew. */
import { KubedosError } from '../errors.ts';
import type { Channel, MirrorHead, SnapshotMirror, Store } from '../store/types.ts';
import type { SigningKey } from '../trust/types.ts';
import { resignMirror } from './resign.ts';

export interface RollbackDeps {
  readonly store: Store;
  readonly signer: SigningKey;
  readonly now: () => Date;
}

/** To the snapshot `to`, or to the one before. `verbatim` names the mirrors that could not be signed anew. */
export async function rollBack(
  { store, signer, now: clock }: RollbackDeps,
  name: string,
  to: string | undefined,
): Promise<{ readonly channel: Channel; readonly verbatim: readonly string[] }> {
  return store.withWriter('channel rollback', async () => {
    const channel = await store.channels.read(name);
    if (!channel) throw new KubedosError('store.not-found', `there is no channel ${name}`);
    const before = to ?? channel.history[0]?.snapshot;
    if (before === undefined)
      throw new KubedosError('store.not-found', `roll back ${name}: it never named another snapshot`);
    const target = await store.snapshots.resolve(before);
    const served = await store.snapshots.resolve(channel.snapshot);
    const now = clock();
    const heads: MirrorHead[] = [];
    const verbatim: string[] = [];
    for (const mirror of target.document.mirrors) {
      const replaces = served.document.mirrors.find((one) => one.name === mirror.name)?.manifest;
      // dnf takes what the repository has now, older or not: the state goes back as it is.
      const resigned =
        mirror.kind === 'apt'
          ? await resignMirror({ objects: store.objects, signer }, { mirror, now, replaces })
          : ({ possible: true, manifest: mirror.manifest } as const);
      if (!resigned.possible) verbatim.push(mirror.name);
      heads.push(asHead(mirror, resigned.possible ? resigned.manifest : mirror.manifest, target.document.time));
    }
    const sign = (bytes: Uint8Array): Promise<string> => signer.detached(bytes, now);
    const note = `rollback of ${name} to ${target.id}`;
    const { snapshot } = await store.snapshots.create({ heads, now, sign, note });
    return { channel: await store.channels.move(name, snapshot.id, { now, expected: channel.snapshot }), verbatim };
  });
}

/** A snapshot is taken of heads; these stand for what the older snapshot held. */
function asHead(mirror: SnapshotMirror, manifest: MirrorHead['manifest'], time: string): MirrorHead {
  return { ...mirror, format: 'kubedos-head/1', manifest, time, spec: null, memory: {} };
}
