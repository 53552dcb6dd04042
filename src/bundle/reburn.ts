/** Makes lost or damaged volumes of an earlier export again, byte for byte. */
import { KubedosError } from '../errors.ts';
import type { Run } from '../progress.ts';
import type { ExportDeps, ExportReport } from './export.ts';
import { readPrepared } from './prepare.ts';
import { writeVolumes } from './write-volumes.ts';

export interface ReburnOptions {
  /** Id of the bundle, as the folder names begin. */
  readonly bundle: string;
  /** From 1. */
  readonly volumes: readonly number[];
  readonly to: string;
  readonly readBack?: boolean | undefined;
}

/** The snapshots of the bundle must still be in the store. A volume that lies finished in `to` already is left as it is. */
export async function reburn(
  deps: Pick<ExportDeps, 'store' | 'parityTool'>,
  options: ReburnOptions,
  run: Run,
): Promise<ExportReport> {
  const prepared = await readPrepared(deps.store, options.bundle);
  if (prepared === undefined) {
    throw new KubedosError(
      'store.not-found',
      `make volumes of bundle ${options.bundle} again: this store did not export it`,
      {
        hint: 'folder names on the medium begin with the id of the bundle, such as b12-0123456789abcdef',
      },
    );
  }
  const { bundle } = prepared;
  const count = bundle.root.volumes.length;
  const wrong = options.volumes.find((volume) => !Number.isInteger(volume) || volume < 1 || volume > count);
  if (wrong !== undefined || options.volumes.length === 0) {
    throw new KubedosError(
      'usage.argument',
      `make volume ${wrong ?? '(none given)'} of bundle ${bundle.id} again: it has volumes 1 to ${count}`,
    );
  }
  const wanted = { prepared, to: options.to, volumes: options.volumes, readBack: options.readBack ?? true };
  return { bundle, base: bundle.root.base?.snapshot ?? null, ...(await writeVolumes(deps, wanted, run)) };
}
