/**
 * What artifacts were made of, as an in-toto statement (in-toto.io/Statement/v1) with SLSA provenance
 * (slsa.dev/spec/v1.1/provenance): writer and reader. Pure. The times and the invocation of a build, which SLSA leaves
 * open, are left out: the same build gives the same bytes.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { KubedosError } from '../errors.ts';
import type { OutputName, Recipe } from '../spec/recipe-spec.ts';
import { type BuildSpec, buildField } from '../spec/site-spec.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import type { ObjectRef, Sha256, Snapshot, SnapshotMirror } from '../store/types.ts';
import type { RecipeChain } from './recipe-chain.ts';
import type { SILENCE } from './silence.ts';

/** Tool → version. */
export type ToolVersions = Readonly<Record<string, string>>;

type NamedObject = ObjectRef & { readonly path: string };

export interface RecipeDigest {
  readonly name: string;
  /** Of its text. */
  readonly sha256: Sha256;
  /** Files beside it that it takes in. */
  readonly sources: readonly { readonly path: string; readonly sha256: Sha256 }[];
}

export type ProvenChain = Pick<RecipeChain, 'name' | 'levels'> & Partial<Pick<RecipeChain, 'build'>>;

export interface ProvenanceInput {
  readonly artifacts: readonly NamedObject[];
  /** SBOMs: made by the build as well. */
  readonly byproducts: readonly (NamedObject & { readonly mediaType: string })[];
  readonly mirrors: readonly SnapshotMirror[];
  readonly chain: ProvenChain;
  readonly recipes: readonly RecipeDigest[];
  readonly outputs: readonly OutputName[];
  /** Of the layers, the base first: hashes of all that each is made of. */
  readonly layers: readonly Sha256[];
  readonly snapshot: Snapshot;
  /** Seconds. */
  readonly epoch: number;
  readonly version: string;
  readonly tools: ToolVersions;
  /** Which one the build had, and how that is known. */
  readonly network: typeof SILENCE | string;
}

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
const BUILD_TYPE = 'urn:kubedos:bake:1';

export async function digestRecipes({ levels }: Pick<RecipeChain, 'levels'>): Promise<RecipeDigest[]> {
  return Promise.all(
    levels.map(async ({ recipe, text, read }) => {
      const paths = [...new Set(sourcesOf(recipe))].sort();
      const sources = paths.map(async (path) => ({ path, sha256: hash('sha256', await read(path)) }));
      return { name: recipe.name, sha256: hash('sha256', text), sources: await Promise.all(sources) };
    }),
  );
}

/** Files beside a recipe that it takes in. */
function sourcesOf({ files, payload, media }: Recipe): string[] {
  const items = [...files, ...payload, ...(media?.payload ?? [])];
  return [...items.flatMap(({ source }) => source ?? []), ...(media === undefined ? [] : [media.answers])];
}

/** Canonical JSON: the same build gives the same bytes. */
export function makeProvenance(input: ProvenanceInput): Buffer {
  const { artifacts, byproducts, mirrors, chain, recipes, outputs, layers, snapshot, epoch, version, tools, network } =
    input;
  const statement = {
    _type: STATEMENT,
    predicateType: PREDICATE,
    subject: artifacts.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          ...{ recipe: chain.name, recipes, outputs: [...outputs].sort(), snapshot: snapshot.id },
          build: chain.build ?? null,
        },
        internalParameters: { network, layers, sourceDateEpoch: epoch },
        resolvedDependencies: [
          {
            name: `snapshot ${snapshot.id}`,
            uri: `urn:kubedos:snapshot:${snapshot.id}`,
            digest: { sha256: hash('sha256', snapshot.bytes) },
          },
          ...mirrors.map(({ name, manifest }) => ({ name: `mirror ${name}`, digest: { sha256: manifest.root } })),
        ],
      },
      runDetails: {
        builder: { id: 'urn:kubedos', version: { kubedos: version, ...tools } },
        byproducts: byproducts.map(({ path, sha256, mediaType }) => ({ name: path, digest: { sha256 }, mediaType })),
      },
    },
  };
  return Buffer.from(canonicalJson(statement));
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const described = z.array(z.looseObject({ name: z.string(), digest: z.looseObject({ sha256 }) }));
const recipeDigest = z.object({
  name: z.string(),
  sha256,
  sources: z.array(z.object({ path: z.string(), sha256 })),
});
const statementSchema = z.looseObject({
  _type: z.literal(STATEMENT),
  predicateType: z.literal(PREDICATE),
  subject: described.min(1),
  predicate: z.looseObject({
    buildDefinition: z.looseObject({
      buildType: z.literal(BUILD_TYPE),
      externalParameters: z.looseObject({
        recipe: z.string(),
        recipes: z.array(recipeDigest).min(1),
        outputs: z.array(z.string()).min(1),
        snapshot: z.string(),
        build: buildField.nullable(),
      }),
    }),
    runDetails: z.looseObject({
      builder: z.looseObject({ version: z.record(z.string(), z.string()) }),
      byproducts: described,
    }),
  }),
});

export interface Provenance {
  readonly recipe: string;
  readonly recipes: readonly RecipeDigest[];
  readonly outputs: readonly string[];
  /** Id. */
  readonly snapshot: string;
  /** As it was asked for, by recipe or command line. */
  readonly build: BuildSpec | undefined;
  /** kubedos is one of them. */
  readonly tools: ToolVersions;
  /** Path → SHA-256. */
  readonly subjects: ReadonlyMap<string, Sha256>;
  readonly byproducts: ReadonlyMap<string, Sha256>;
}

/** The inverse, narrowed to what is asked of it; `artifact.unsound` for what is no provenance of ours. */
export function readProvenance(bytes: Uint8Array, origin: string): Provenance {
  const parsed = statementSchema.safeParse(parsedJson(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const what = `${issue?.path.join('.') || 'the document'}: ${issue?.message}`;
    throw new KubedosError('artifact.unsound', `read ${origin}: it is no provenance that bake writes: ${what}`, {
      hint: 'bake the image again',
    });
  }
  const { subject, predicate } = parsed.data;
  const { externalParameters } = predicate.buildDefinition;
  const digests = (list: typeof subject) => new Map(list.map(({ name, digest }) => [name, digest.sha256]));
  return {
    recipe: externalParameters.recipe,
    recipes: externalParameters.recipes,
    outputs: externalParameters.outputs,
    snapshot: externalParameters.snapshot,
    build: externalParameters.build ?? undefined,
    tools: predicate.runDetails.builder.version,
    subjects: digests(subject),
    byproducts: digests(predicate.runDetails.byproducts),
  };
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
