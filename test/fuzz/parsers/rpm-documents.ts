/** The other documents of rpm repositories: lists of mirrors and files, groups, modules, advisories, trees. */
import {
  type Comps,
  compsCategories,
  compsEnvironments,
  compsGroups,
  compsText,
  parseComps,
  pruneComps,
} from '../../../src/formats/rpm/comps.ts';
import { parseMetalink, parseMirrorlist } from '../../../src/formats/rpm/metalink.ts';
import { artifactNevra, moduleDefaults, moduleStream, pruneModules } from '../../../src/formats/rpm/modules.ts';
import { modulesText, parseModules } from '../../../src/formats/rpm/modules-text.ts';
import { parseRepomd, repomdText } from '../../../src/formats/rpm/repomd.ts';
import { treeFacts, treeFiles, treeVariants } from '../../../src/formats/rpm/treeinfo.ts';
import { parseTreeinfo, type Treeinfo, treeinfoText } from '../../../src/formats/rpm/treeinfo-text.ts';
import {
  cvesOf,
  parseUpdateinfo,
  pruneUpdate,
  type Update,
  updateinfoChunks,
} from '../../../src/formats/rpm/updateinfo.ts';
import { chunked, joined } from '../../formats/support.ts';
import type { Parser } from '../property.ts';
import { listed, same, settles } from '../same.ts';
import { COMPS, METALINK, MODULES, repomds, TREEINFO, UPDATEINFO } from '../samples-rpm.ts';
import { compsFile, updateinfoFile } from '../structured/groups-and-advisories.ts';
import { modulesFile, treeinfoFile } from '../structured/modules-and-trees.ts';
import { repomdFile } from '../structured/packages.ts';
import { XML } from '../tokens.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const even = (text: string): boolean => text.length % 2 === 0;
/** What is told: blanks within elements are not. */
const withoutElements = (list: readonly { readonly element: unknown }[]): unknown[] =>
  list.map(({ element: _, ...told }) => told);

export const RPM_DOCUMENTS: readonly Parser[] = [
  {
    name: 'repomd',
    samples: repomds,
    arbitrary: repomdFile,
    tokens: [
      ...XML,
      '<data type="x">',
      '</data>',
      '<size>',
      '<location href="a%2525b"/>',
      'sha512',
      'sha',
      '%25',
      '../',
    ],
    run: async (bytes) => {
      const repomd = await parseRepomd(bytes, 'f');
      const read = (text: string) => parseRepomd(Buffer.from(text), 'again');
      await settles(repomd, repomdText, read);
      await same(async () => (await read(repomdText(repomd))).records, repomd.records);
    },
  },
  {
    name: 'metalink',
    samples: lines(METALINK),
    tokens: [...XML, 'preference="', 'https://a/repodata/repomd.xml', '/', '<url>', '</url>'],
    run: (bytes) => parseMetalink(bytes, 'f'),
  },
  {
    name: 'mirrorlist',
    samples: lines('# comment\nhttps://a.example.org/x/\nhttp://b/y\n'),
    tokens: ['https://', 'http://a/', '/', '#', '@', '?'],
    run: (bytes) => {
      const urls = parseMirrorlist(bytes, 'f');
      return same(() => parseMirrorlist(Buffer.from(urls.join('\n')), 'again'), urls);
    },
  },
  {
    name: 'comps',
    samples: lines(COMPS),
    arbitrary: compsFile,
    tokens: [...XML, '<id>', '</id>', '<group>', '</group>', 'xml:lang="de"'],
    run: async (bytes) => {
      const comps = await parseComps(bytes, 'f');
      const read = (text: string) => parseComps(Buffer.from(text), 'again');
      const told = (all: Comps) =>
        [compsGroups(all), compsEnvironments(all), compsCategories(all)].map(withoutElements);
      await settles(comps, compsText, read);
      await same(async () => told(await read(compsText(comps))), told(comps));
      const pruned = pruneComps(comps, { hasPackage: even });
      await settles(pruned, compsText, read);
      await same(async () => told(await read(compsText(pruned))), told(pruned));
      await same(() => compsText(pruneComps(pruned, { hasPackage: even })), compsText(pruned));
    },
  },
  {
    name: 'modules',
    samples: lines(MODULES),
    arbitrary: modulesFile,
    tokens: [
      '---\n',
      '...\n',
      '- ',
      ': ',
      '[',
      '{',
      '? ',
      '|\n',
      '>\n',
      '&a ',
      '*a',
      '!!x ',
      '%YAML 1.2\n',
      '# ',
      '"',
      "'",
      '  ',
    ],
    run: async (bytes) => {
      const all = await parseModules(bytes, 'f');
      for (const one of all) void [moduleStream(one)?.artifacts.map(artifactNevra), moduleDefaults(one)];
      const bare = (text: string): string => text.replace(/^\ufeff/, '').replaceAll('...\n', '');
      await same(() => bare(modulesText(all)), bare(bytes.toString()));
      const said = (list: typeof all) =>
        list.filter(({ data }) => data.size > 0).map(({ document, data }) => ({ document, data }));
      const left = pruneModules(all, ({ name }) => even(name));
      await same(async () => said(await parseModules(Buffer.from(modulesText(left)), 'again')), said(left));
      await same(() => pruneModules(left, ({ name }) => even(name)), left);
    },
  },
  {
    name: 'updateinfo',
    samples: lines(UPDATEINFO),
    arbitrary: updateinfoFile,
    tokens: [...XML, '<id>', '<update>', '</update>', '<package name="a">', 'date="2024-02-30"'],
    run: async (bytes, size) => {
      const updates = await listed(parseUpdateinfo(chunked(bytes, size), 'f'));
      const read = (text: string) => listed(parseUpdateinfo([Buffer.from(text)], 'again'));
      const write = async (list: readonly Update[]) => (await joined(updateinfoChunks(list))).toString();
      const pruned = updates.flatMap((update) => pruneUpdate(update, ({ name }) => even(name)) ?? []);
      for (const list of [updates, pruned]) {
        const written = await write(list);
        const again = read(written);
        await same(async () => write(await again), written);
        await same(async () => withoutElements(await again), withoutElements(list));
        void list.map(cvesOf);
      }
    },
  },
  {
    name: 'treeinfo',
    samples: lines(TREEINFO),
    arbitrary: treeinfoFile,
    tokens: [
      '[',
      ']',
      ' = ',
      ':',
      '\n\t',
      '\n  [a=b]\n',
      '; ',
      '[checksums]\n',
      '[variant-',
      'sha256:',
      'repodata/repomd.xml',
    ],
    run: async (bytes) => {
      const tree = parseTreeinfo(bytes, 'f');
      const again = () => parseTreeinfo(Buffer.from(treeinfoText(tree)), 'again');
      await same(again, tree);
      const told = (of: Treeinfo) => [treeFacts(of), treeVariants(of, 'f'), treeFiles(of, 'f')];
      await same(() => told(again()), told(tree));
    },
  },
];
