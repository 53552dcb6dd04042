/** Scripts of ours over the layers of a system. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { runSealed } from '../exec/sealed.ts';
import { buildFailure } from './failure.ts';
import type { FoundRecipe } from './recipe-chain.ts';
import { checkSilence } from './silence.ts';

export interface LayersScript {
  /** The recipe that messages name. */
  readonly level: FoundRecipe;
  /** The lowest first. */
  readonly layers: readonly { readonly file: string }[];
  /** Seconds. */
  readonly epoch: number;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Calls the folder `$W`. */
  readonly script: string;
  /** The files of the layers follow them, the uppermost first. */
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** At the end, in the network that the script had. */
const COUNT_PACKETS = '\ncat /proc/net/dev > "$W/network"\n';

/** In the folder, whose `step` the script writes. What it prints; `bake.failed` names the recipe. */
export async function runOnLayers(
  deps: { readonly runSealed: typeof runSealed },
  { script, args = [], env, level, layers, epoch, folder, signal }: LayersScript,
): Promise<string> {
  const files = layers.map(({ file }) => file).reverse();
  const all = { SOURCE_DATE_EPOCH: String(epoch), ...env };
  const printed = await deps
    .runSealed({ script: script + COUNT_PACKETS, args: [...args, ...files], cwd: folder, env: all, signal })
    .catch(async (error: unknown) => {
      throw await buildFailure(error, { level, folder });
    });
  checkSilence(await readFile(join(folder, 'network'), 'utf8'));
  return printed;
}
