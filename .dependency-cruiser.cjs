// The layers of docs/design.md: imports point up the list only. Folders of one layer do not import each other.
const PURE = '^src/(errors|progress)\\.ts$|^src/(formats|spec)/';
const EFFECTS = ['store', 'catalog', 'trust', 'net', 'exec'];
const USE_CASES = ['sync', 'publish', 'bundle', 'darksite', 'inspect'];
const EDGES = ['cli', 'server'];
const DARK = ['bundle', 'image', 'boot', 'deploy', 'publish', 'darksite', 'inspect', 'server'];

const folders = (names) => `^src/(${names.join('|')})/`;
const others = (names, own) => folders(names.filter((name) => name !== own));

/** Each folder of a layer against its siblings. */
const siblings = (layer) =>
  layer.map((own) => ({
    name: `${own}-imports-sibling`,
    comment: 'Folders of one layer do not import each other: pass what is needed as an argument, in wiring.ts.',
    severity: 'error',
    from: { path: folders([own]) },
    to: { path: others(layer, own) },
  }));

module.exports = {
  forbidden: [
    { name: 'cycle', severity: 'error', from: { path: '^src' }, to: { circular: true } },
    {
      name: 'pure-imports-below',
      comment: 'The pure layer does no I/O and knows nothing of the layers below.',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^src/', pathNot: PURE },
    },
    {
      name: 'pure-does-io',
      comment: 'No files, sockets or processes in the pure layer; streams and zlib are computation.',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^(node:)?(fs|fs/promises|net|http|https|child_process|tls|dgram|dns|os|worker_threads)$' },
    },
    {
      name: 'effects-import-below',
      severity: 'error',
      from: { path: folders(EFFECTS) },
      to: { path: `${folders([...USE_CASES, ...EDGES])}|^src/wiring\\.ts$` },
    },
    {
      name: 'use-cases-import-below',
      severity: 'error',
      from: { path: folders(USE_CASES) },
      to: { path: `${folders(EDGES)}|^src/wiring\\.ts$` },
    },
    {
      name: 'dark-imports-net',
      comment: 'What runs inside the air gap cannot reach out, not even through another module.',
      severity: 'error',
      from: { path: folders(DARK) },
      to: { path: '^src/net/', reachable: true },
    },
    {
      name: 'dark-calls-out',
      comment: 'Outbound clients belong to net/ alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/net/' },
      to: { path: 'node_modules/undici/' },
    },
    {
      name: 'processes-outside-exec',
      comment: 'exec/ is the only place that starts a process.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/exec/|^src/(start|set-up|build)\\.mjs$' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'web-imports-code',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/' },
    },
    ...siblings(EFFECTS),
    ...siblings(USE_CASES),
    {
      name: 'server-imports-cli',
      comment: '`kubedos serve` composes the server; the server knows nothing of the command line.',
      severity: 'error',
      from: { path: '^src/server/' },
      to: { path: '^src/cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
