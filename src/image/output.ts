/** What an output is made from, and what it gives. */
import type { Recipe } from '../spec/recipe-spec.ts';
import type { Sha256 } from '../store/types.ts';
import type { Layer } from './layer.ts';
import type { FoundRecipe, RecipeChain } from './recipe-chain.ts';

/** A system that was built, on its way into the forms that were asked for. */
export interface Built {
  /** Of the recipe: what artifacts are called. */
  readonly name: string;
  /** The uppermost recipe, for messages. */
  readonly level: FoundRecipe;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  /** Seconds. */
  readonly epoch: number;
  /** What identifiers follow from: the same for the same system. */
  readonly key: string;
  /** The kernel's command line, beside its root. */
  readonly cmdline: string;
  readonly diskBytes: number;
  readonly layout: RecipeChain['layout'];
  /** What a container runs. */
  readonly container: Recipe['oci'];
  readonly installer: RecipeChain['installer'];
  /** What an installer carries along. */
  readonly payload: readonly PayloadMirror[];
  /** A folder for this output alone, which is there. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /**
   * What several outputs are made from: a file in the folder given, which is made for the first that asks. It stays as it
   * is, but for the output that it is itself, and which takes it away.
   */
  readonly once: (what: string, make: (folder: string) => Promise<string>) => Promise<string>;
  /** The raw disk, in that way. */
  readonly disk: () => Promise<string>;
}

/** A mirror of the snapshot. */
export interface PayloadMirror {
  readonly name: string;
  readonly manifestRoot: Sha256;
}

export interface Made {
  /** In the list of the image. */
  readonly path: string;
  /** Where it lies now: it moves into the store. */
  readonly file: string;
  /** Where it is known already: then the file is not read again. */
  readonly sha256?: Sha256;
}

/** One of the forms of an image, of one or more files. */
export type MakeOutput<Deps> = (deps: Deps, built: Built) => Promise<readonly Made[]>;
