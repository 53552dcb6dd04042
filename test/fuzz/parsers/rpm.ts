import {
  compsCategories,
  compsEnvironments,
  compsGroups,
  compsText,
  parseComps,
  pruneComps,
} from '../../../src/formats/rpm/comps.ts';
import {
  changelogsOf,
  filelistsRecords,
  filesOf,
  otherRecords,
  recordPkgid,
} from '../../../src/formats/rpm/filelists.ts';
import { filelistsRecord, otherRecord, primaryRecord } from '../../../src/formats/rpm/metadata-text.ts';
import { parseMetalink, parseMirrorlist } from '../../../src/formats/rpm/metalink.ts';
import { artifactNevra, moduleDefaults, moduleStream, pruneModules } from '../../../src/formats/rpm/modules.ts';
import { modulesText, parseModules } from '../../../src/formats/rpm/modules-text.ts';
import { primaryPackage, primaryPlace, primaryRecords } from '../../../src/formats/rpm/primary.ts';
import { parseRepomd, repomdText } from '../../../src/formats/rpm/repomd.ts';
import { readRpm } from '../../../src/formats/rpm/rpm-file.ts';
import { rpmPackage } from '../../../src/formats/rpm/rpm-package.ts';
import { treeFacts, treeFiles, treeVariants } from '../../../src/formats/rpm/treeinfo.ts';
import { parseTreeinfo, treeinfoText } from '../../../src/formats/rpm/treeinfo-text.ts';
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
import {
  COMPS,
  filelists,
  METALINK,
  MODULES,
  other,
  primary,
  repomds,
  rpms,
  TREEINFO,
  UPDATEINFO,
} from '../samples-rpm.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const XML = [
  '<',
  '>',
  '</',
  '/>',
  '&amp;',
  '&#0;',
  '&#x110000;',
  '&constructor;',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?x ?>',
  '<!DOCTYPE a [',
  ' a="b"',
  ' hasOwnProperty="x"',
  ' __proto__="x"',
  'xml:base="',
  '<package',
  '</package>',
];
const even = (text: string): boolean => text.length % 2 === 0;
const place = { pkgid: 'ab', checksumType: 'sha256', href: 'a.rpm', fileTime: 1, packageBytes: 2 };
const nevra = { name: 'n', epoch: '0', version: '1', release: '1', arch: 'noarch' };

async function records(source: AsyncIterable<Buffer[]>, read: (record: Buffer) => unknown): Promise<void> {
  for await (const batch of source) for (const record of batch) await read(record);
}

export const RPM: readonly Parser[] = [
  {
    name: 'rpm',
    samples: rpms,
    run: async (bytes, size) => {
      const { facts, files, changelogs } = rpmPackage(await readRpm(chunked(bytes, size), 'f'), place);
      const written = primaryRecord(facts, files);
      const file = ['<metadata>', written, '</metadata>'].map((part) => Buffer.from(part));
      await same(async () => (await listed(primaryRecords(file, 'again'))).join(), written);
      await same(() => {
        const { name, capabilities } = primaryPackage(Buffer.from(written), 'again');
        return primaryRecord({ ...facts, name, capabilities }, files);
      }, written);
      const other = Buffer.from(otherRecord('ab', facts, changelogs));
      await same(() => changelogsOf(other, 'again').length, changelogs.length);
      const list = Buffer.from(filelistsRecord('ab', facts, files));
      await same(() => filesOf(list, 'again').length, files.length);
    },
  },
  {
    name: 'primary',
    samples: primary,
    tokens: [
      ...XML,
      '<rpm:entry name="a" flags="EQ" ver="1"/>',
      '<rpm:requires>',
      '</rpm:requires>',
      '<format>',
      '</format>',
      '<file>',
      '</file>',
    ],
    run: (bytes, size) =>
      records(primaryRecords(chunked(bytes, size), 'f'), async (record) => {
        primaryPlace(record, 'f');
        await settles(
          primaryPackage(record, 'f'),
          (facts) => primaryRecord(facts, facts.files),
          (text) => primaryPackage(Buffer.from(text), 'again'),
        );
      }),
  },
  {
    name: 'filelists',
    samples: filelists,
    tokens: [...XML, '<file type="dir">', '</file>', ' pkgid="ab"'],
    run: (bytes, size) =>
      records(filelistsRecords(chunked(bytes, size), 'f'), async (record) => {
        recordPkgid(record, 'f');
        await settles(
          filesOf(record, 'f'),
          (files) => filelistsRecord('ab', nevra, files),
          (text) => filesOf(Buffer.from(text), 'again'),
        );
      }),
  },
  {
    name: 'other',
    samples: other,
    tokens: [...XML, '<changelog author="a" date="1">', '</changelog>'],
    run: (bytes, size) =>
      records(otherRecords(chunked(bytes, size), 'f'), async (record) => {
        recordPkgid(record, 'f');
        await settles(
          changelogsOf(record, 'f'),
          (logs) => otherRecord('ab', nevra, logs),
          (text) => changelogsOf(Buffer.from(text), 'again'),
        );
      }),
  },
  {
    name: 'repomd',
    samples: repomds,
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
    run: async (bytes) =>
      settles(await parseRepomd(bytes, 'f'), repomdText, (text) => parseRepomd(Buffer.from(text), 'again')),
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
    tokens: [...XML, '<id>', '</id>', '<group>', '</group>', 'xml:lang="de"'],
    run: async (bytes) => {
      const comps = await parseComps(bytes, 'f');
      void [compsGroups(comps), compsEnvironments(comps), compsCategories(comps)];
      await settles(comps, compsText, (text) => parseComps(Buffer.from(text), 'again'));
      const pruned = compsText(pruneComps(comps, { hasPackage: even }));
      await same(async () => compsText(await parseComps(Buffer.from(pruned), 'again')), pruned);
    },
  },
  {
    name: 'modules',
    samples: lines(MODULES),
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
    },
  },
  {
    name: 'updateinfo',
    samples: lines(UPDATEINFO),
    tokens: [...XML, '<id>', '<update>', '</update>', '<package name="a">', 'date="2024-02-30"'],
    run: async (bytes, size) => {
      const updates = [];
      for await (const update of parseUpdateinfo(chunked(bytes, size), 'f')) {
        void [cvesOf(update), pruneUpdate(update, ({ name }) => even(name))];
        updates.push(update);
      }
      const text = async (list: AsyncIterable<Update> | Iterable<Update>) =>
        (await joined(updateinfoChunks(list))).toString();
      const written = await text(updates);
      await same(() => text(parseUpdateinfo([Buffer.from(written)], 'again')), written);
    },
  },
  {
    name: 'treeinfo',
    samples: lines(TREEINFO),
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
      await same(() => parseTreeinfo(Buffer.from(treeinfoText(tree)), 'again'), tree);
      void [treeFacts(tree), treeVariants(tree, 'f'), treeFiles(tree, 'f')];
    },
  },
];
