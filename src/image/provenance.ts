/** What an artifact was made of, as an in-toto statement with SLSA provenance (slsa.dev/spec/v1.0/provenance). Pure. */
import { hash } from 'node:crypto';
import { canonicalJson } from '../store/canonical-json.ts';
import type { ObjectRef, Snapshot, SnapshotMirror } from '../store/types.ts';
import type { RecipeChain } from './recipe-chain.ts';

/** Tool → version. */
export type ToolVersions = Readonly<Record<string, string>>;

export interface ProvenanceInput {
  readonly artifacts: readonly (ObjectRef & { readonly path: string })[];
  readonly mirrors: readonly SnapshotMirror[];
  readonly chain: Pick<RecipeChain, 'name' | 'levels'> & Partial<Pick<RecipeChain, 'build'>>;
  readonly snapshot: Snapshot;
  readonly version: string;
  readonly tools: ToolVersions;
  /** Which one the build had, and how that is known. */
  readonly network: string;
}

/** Canonical JSON: the same build gives the same bytes. */
export function makeProvenance(input: ProvenanceInput): Buffer {
  const { artifacts, mirrors, chain, snapshot, version, tools, network } = input;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: artifacts.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    predicate: {
      buildDefinition: {
        buildType: 'urn:kubedos:bake:1',
        externalParameters: {
          recipe: chain.name,
          recipes: chain.levels.map(({ recipe, text }) => ({ name: recipe.name, sha256: hash('sha256', text) })),
          snapshot: snapshot.id,
          build: chain.build ?? null,
        },
        internalParameters: { network },
        resolvedDependencies: mirrors.map(({ name, manifest }) => ({ name, digest: { sha256: manifest.root } })),
      },
      runDetails: { builder: { id: 'urn:kubedos', version: { kubedos: version, ...tools } } },
    },
  };
  return Buffer.from(canonicalJson(statement));
}
