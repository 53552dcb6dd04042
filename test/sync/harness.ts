/** A store, a fetcher and a spec around a fake upstream. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubedosError } from '../../src/errors.ts';
import { createFetcher } from '../../src/net/fetcher.ts';
import type { Fetcher, FetcherOptions } from '../../src/net/types.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import type { AptSpec } from '../../src/spec/apt-spec.ts';
import type { MirrorSpec } from '../../src/spec/mirror-spec.ts';
import type { YumSpec } from '../../src/spec/yum-spec.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { initStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { syncMirror } from '../../src/sync/sync-mirror.ts';
import type { SyncDeps, SyncOptions, SyncReport } from '../../src/sync/types.ts';
import { loadKeyring } from '../../src/trust/keyring.ts';
import { type FakeApt, startFakeApt } from '../support/fake-apt.ts';
import type { FakeFiles } from '../support/fake-archive.ts';
import type { FakeKey } from '../support/fake-key.ts';
import { parseAptSpec, parseYumSpec } from '../support/parse-spec.ts';

export const NOW = new Date('2024-05-03T00:00:00Z');

/** One try, no waiting between tries. */
const ONE_TRY: FetcherOptions = { tries: 1, env: {} };
/** Gives up on what does not come at once. */
const IMPATIENT: FetcherOptions = { ...ONE_TRY, stallMs: 300, minBytesPerSecond: 10_000 };

export interface Bench<S extends MirrorSpec = AptSpec> {
  readonly dir: string;
  readonly store: Store;
  readonly upstream: FakeApt;
  readonly deps: SyncDeps;
  readonly events: ProgressEvent[];
  /** Replaces some of what the next sync gets. */
  with(changes: Partial<SyncDeps>): void;
  /** From now on the fetcher gives up on what does not come at once. */
  impatient(): void;
  spec: S;
  sync(options?: SyncOptions, signal?: AbortSignal): Promise<SyncReport>;
  /** The error of a sync that must fail. */
  refusal(options?: SyncOptions): Promise<KubedosError>;
  /** Paths of the mirror as it is now, with their hashes. */
  listing(): Promise<Map<string, string>>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly files: FakeFiles;
  readonly key: FakeKey;
  readonly upstream?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
  readonly deps?: Partial<SyncDeps>;
  readonly fetcher?: FetcherOptions;
  readonly now?: Date;
}

export function openBench(options: BenchOptions): Promise<Bench> {
  return openBenchOf(options, (url) => specOf(url, options));
}

/** Around a mirror of an rpm repository. */
export function openYumBench(options: BenchOptions): Promise<Bench<YumSpec>> {
  return openBenchOf(options, (url) => yumSpecOf(url, options));
}

async function openBenchOf<S extends MirrorSpec>(options: BenchOptions, spec: (url: string) => S): Promise<Bench<S>> {
  const dir = await mkdtemp(join(tmpdir(), 'kubedos-sync-'));
  const now = options.now ?? NOW;
  const store = await initStore(join(dir, 'store'), { now });
  const upstream = await startFakeApt(options.files);
  const fetchers: Fetcher[] = [];
  const newFetcher = (fetcherOptions: FetcherOptions): Fetcher => {
    const fetcher = createFetcher(fetcherOptions);
    fetchers.push(fetcher);
    return fetcher;
  };
  const events: ProgressEvent[] = [];
  let deps: SyncDeps = {
    store,
    fetcher: newFetcher({ ...ONE_TRY, ...options.fetcher }),
    now: () => now,
    loadKeys: (pins) =>
      loadKeyring(
        [Buffer.from(options.key.publicArmored)],
        pins.map(({ fingerprint }) => fingerprint),
      ),
    ...options.deps,
  };
  const bench: Bench<S> = {
    dir,
    store,
    upstream,
    get deps() {
      return deps;
    },
    with(changes) {
      deps = { ...deps, ...changes };
    },
    impatient() {
      bench.with({ fetcher: newFetcher(IMPATIENT) });
    },
    events,
    spec: spec(upstream.url),
    sync: (syncOptions = {}, signal = undefined) =>
      syncMirror(deps, bench.spec, syncOptions, { signal, onEvent: (event) => events.push(event) }),
    refusal: (syncOptions) =>
      bench.sync(syncOptions).then(
        () => Promise.reject(new Error('the sync succeeded')),
        (error) => error as KubedosError,
      ),
    async listing() {
      const head = await store.heads.read(bench.spec.name);
      const found = new Map<string, string>();
      if (head)
        for await (const { path, sha256 } of readManifest(store.objects, head.manifest.root)) found.set(path, sha256);
      return found;
    },
    async close() {
      await upstream.close();
      await Promise.all(fetchers.map((fetcher) => fetcher.close()));
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return bench;
}

export function specOf(url: string, { key, spec, upstream }: Pick<BenchOptions, 'key' | 'spec' | 'upstream'>): AptSpec {
  return parseAptSpec(
    stringify({
      name: 'fake',
      type: 'apt',
      form: 'verbatim',
      upstreams: [
        {
          url,
          suites: ['bookworm'],
          components: ['main'],
          architectures: ['amd64'],
          keys: [{ fingerprint: key.fingerprint }],
          ...upstream,
        },
      ],
      ...spec,
    }),
    'fake.yaml',
  );
}

export function yumSpecOf(
  url: string,
  { key, spec, upstream }: Pick<BenchOptions, 'key' | 'spec' | 'upstream'>,
): YumSpec {
  const keys = [{ fingerprint: key.fingerprint }];
  // The packages of these fakes are no packages.
  const upstreams = [{ url, keys, verify: ['metadata'], ...upstream }];
  return parseYumSpec(stringify({ name: 'fake', type: 'yum', form: 'verbatim', upstreams, ...spec }), 'fake.yaml');
}
