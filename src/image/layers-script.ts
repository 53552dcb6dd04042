/** Scripts of ours over the layers of a system. */
import type { runSealed } from '../exec/sealed.ts';
import { buildFailure } from './failure.ts';
import type { FoundRecipe } from './recipe-chain.ts';

export interface LayersScript {
  /** The recipe that messages name. */
  readonly level: FoundRecipe;
  /** The lowest first. */
  readonly layers: readonly { readonly file: string }[];
  /** Seconds. */
  readonly epoch: number;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly script: string;
  /** The files of the layers follow them, the uppermost first. */
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** In the folder, whose `step` the script writes. What it prints; `bake.failed` names the recipe. */
export async function runOnLayers(
  deps: { readonly runSealed: typeof runSealed },
  { script, args = [], env, level, layers, epoch, folder, signal }: LayersScript,
): Promise<string> {
  const files = layers.map(({ file }) => file).reverse();
  const all = { SOURCE_DATE_EPOCH: String(epoch), ...env };
  try {
    return await deps.runSealed({ script, args: [...args, ...files], cwd: folder, env: all, signal });
  } catch (error) {
    throw await buildFailure(error, { level, folder });
  }
}
