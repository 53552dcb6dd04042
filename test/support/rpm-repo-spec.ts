/** Specs of many packages, no two alike: all that rpmbuild takes for dependencies, scripts, files and names, mixed at random. */
import type { Draw } from './seed.ts';

const OPERATORS = ['<', '<=', '=', '==', '>=', '>'];
/** With and without an epoch that is 0, since those are two texts of one version. */
const VERSIONS = ['1', '0:1', '1-2', '0:1-2', '2.0~rc1-1.el9', '3:2.0^git1', '1:0', '007'];
/** A few only: the same one comes again, with another version, in another list, and as the package's own. */
const NAMES = ['tool', 'lib+plus', 'other_1.x'];
/** What `Obsoletes` does not take. */
const CAPABILITIES = [
  ...NAMES,
  'perl(Some::Module)',
  'libm.so.6(GLIBC_2.29)(64bit)',
  'font(:lang=ö)',
  'odd&name',
  'naïve',
  'Łódź✓😀',
  'caf@E9@',
  'caf@E9@@80@',
];
const LIBC = [
  'libc.so.6',
  'libc.so.6()(64bit)',
  'libc.so.6(GLIBC_2.2.5)(64bit)',
  'libc.so.6(GLIBC_2.3.4)',
  'libc.so.6(GLIBC_2.14)(64bit)',
  'libc.so.6(GLIBC_PRIVATE)(64bit)',
  'libc.so.6(GLIBC_ABI_DT_RELR)',
];
const RICH = [
  '(tool or lib+plus)',
  '(tool >= 1 with tool < 2:3-4)',
  '(tool if (naïve or caf@E9@) else lib+plus)',
  '(/usr/bin/tool and (a without b))',
];
const FILES = ['/usr/bin/tool', '/etc/tool.conf', '/usr/lib/sendmail', '/opt/x/sbin/y', '/usr/share/caf@E9@'];
/** `pretrans` and `posttrans` are told apart by newer versions of createrepo_c alone. */
const NEEDS = ['', '', '', '(pre)', '(post)', '(preun)', '(postun)', '(pre,post)', '(verify)', '(interp)', '(meta)'];
const PROGRAMS = ['', '-p /sbin/ldconfig', '-p <lua>', '-p /usr/bin/python3'];
const AUTHORS = ['A B <a@b>', 'Jörg "J" <ö@b> - 1:2-3', 'caf@E9@ <é@b>', 'J@F6@rg @80@', '  C  D ', 'E &amp; <f>'];

/** One source package and `count` others, of which some are of no architecture; names begin with `prefix`. */
export function mixedSpec(draw: Draw, prefix: string, count: number): string {
  const some = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)] as T;
  const upTo = (most: number): number => Math.floor(draw() * (most + 1));
  const maybe = (text: string): string[] => (draw() < 0.5 ? [text] : []);
  const times = <T>(most: number, make: () => T): T[] => Array.from({ length: upTo(most) }, make);

  const versioned = (name: string): string => (draw() < 0.5 ? name : `${name} ${some(OPERATORS)} ${some(VERSIONS)}`);
  const capability = (): string => versioned(some(CAPABILITIES));
  const needed = (): string => {
    const kind = draw();
    if (kind < 0.5) return capability();
    if (kind < 0.7) return some(FILES);
    return kind < 0.8 ? some(RICH) : some(LIBC);
  };
  const reverse = (): string => (draw() < 0.2 ? '(tool unless lib+plus)' : capability());

  function relations(name: string): string[] {
    const own = times(3, () => `Provides: ${draw() < 0.2 ? some(LIBC) : capability()}`);
    const needs = times(12, () => `Requires${some(NEEDS)}: ${needed()}`);
    return [
      ...own,
      ...needs,
      // What the package itself provides, and has.
      ...maybe(`Requires: ${own[0]?.slice('Provides: '.length) ?? name}`),
      ...maybe(`Requires(post): /usr/bin/${name}`),
      ...maybe(`Requires: /usr/share/${name}/plain`),
      ...times(3, () => `Obsoletes: ${versioned(some(NAMES))}`),
      ...times(6, () => `${some(['Recommends', 'Suggests'])}: ${needed()}`),
      ...times(6, () => `${some(['Conflicts', 'Supplements', 'Enhances'])}: ${reverse()}`),
    ];
  }

  const scripts = (option: string): string[] =>
    ['pre', 'post', 'preun', 'postun'].flatMap((kind) => {
      if (draw() < 0.7) return [];
      const program = some(PROGRAMS);
      return [`%${kind} ${option} ${program}`, ...(program.includes('ldconfig') ? [] : ['-- nothing'])];
    });

  function files(option: string, name: string): string[] {
    const share = `/usr/share/${name}`;
    return [
      `%files ${option}`,
      ...maybe(`/usr/bin/${name}`),
      ...maybe(`/usr/bin/${name}-link`),
      ...maybe(`%config(noreplace) /etc/${name}.conf`),
      ...maybe(`%ghost /var/log/${name}`),
      ...maybe(`%dir %ghost ${share}/empty`),
      ...maybe(`%doc ${share}/plain`),
      ...(draw() < 0.3 ? [share] : maybe(`%dir ${share}`)),
    ];
  }

  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}${some(['', '+', '.x', '_y-z'])}`);
  const packages = names.map((name) => [
    `%package -n ${name}`,
    `Summary: ${some(['plain', '<b> & "ünïcode"', 'caf@E9@', "it's 😀"])}`,
    ...maybe(`Version: ${some(['1.0', '2~rc1', '2^20240101git', '1+deb', '007'])}`),
    ...maybe(`Epoch: ${upTo(2)}`),
    ...maybe(`Group: ${some(['Some/Group', 'Caf@E9@'])}`),
    ...(draw() < 0.3 ? ['BuildArch: noarch'] : []),
    ...maybe('AutoReqProv: no'),
    ...relations(name),
    `%description -n ${name}`,
    ...times(3, () => some(['  indented  ', 'a@0D@', '', '<&>"\'', 'tab\tstop', 'caf@E9@ @80@é'])),
    ...scripts(`-n ${name}`),
    ...files(`-n ${name}`, name),
  ]);
  return [
    `Name: ${prefix}`,
    `Version: ${some(['1.0', '2~rc1^3'])}`,
    `Release: ${some(['1', '0.1.el9', '3~x'])}`,
    'Summary: of which others are built',
    `License: ${some(['MIT', 'GPL & "others"'])}`,
    ...maybe('Vendor: Vëndor & Co'),
    ...maybe('URL: https://example.org/?a=1&b=2'),
    ...maybe('Packager: P <p@example.org>'),
    // Those of the source package.
    ...times(6, () => `BuildRequires: ${needed()}`),
    ...times(2, () => `BuildConflicts: ${capability()}`),
    '%description',
    'Many.',
    ...packages.flat(),
    '%install',
    `mkdir -p %{buildroot}/usr/bin %{buildroot}/etc`,
    `for name in ${names.join(' ')}; do`,
    '  share=%{buildroot}/usr/share/$name',
    '  mkdir -p "$share/empty"',
    '  echo $name > "%{buildroot}/usr/bin/$name"',
    '  echo $name > "%{buildroot}/etc/$name.conf"',
    '  ln -s $name "%{buildroot}/usr/bin/$name-link"',
    '  mkdir "$share/é bin"',
    `  for file in plain "it's & <odd>" "caf@E9@" "@E9@@80@" "é bin/😀"; do echo x > "$share/$file"; done`,
    'done',
    '%changelog',
    ...changelog(draw, some, times),
    '',
  ].join('\n');
}

/** Newest first; some of one day. */
function changelog(
  draw: Draw,
  some: <T>(list: readonly T[]) => T,
  times: <T>(most: number, make: () => T) => T[],
): string[] {
  let day = Date.UTC(2024, 0, 3);
  return times(15, () => {
    day -= draw() < 0.5 ? 0 : 86_400_000;
    const [weekday = '', date = '', month = '', year = ''] = new Date(day).toUTCString().replace(',', '').split(' ');
    return `* ${weekday} ${month} ${date} ${year} ${some(AUTHORS)}\n- ${some(['plain', '<x> & "é"', 'caf@E9@', '😀\n  more'])}`;
  });
}
