/** Whole comps.xml and updateinfo.xml files. */
import fc, { type Arbitrary } from 'fast-check';
import { arch, date, epoch, flag, hex, name, version } from './values.ts';
import { anyText, element, extra, file, leaf, many, maybe } from './xml.ts';

const titles = ['name', 'description'].map((each) =>
  many(leaf(each, anyText, { 'xml:lang?': fc.constantFrom('de', 'pt_BR') })),
);
const requirement = leaf('packagereq', name, {
  'type?': fc.constantFrom('mandatory', 'default', 'optional', 'conditional', 'odd', ''),
  'requires?': name,
  'basearchonly?': flag,
});
const groupIds = (list: string): Arbitrary<string> =>
  maybe(element(list, {}, many(leaf('groupid', name, { 'default?': flag }))));

const group = element(
  'group',
  {},
  leaf('id', name),
  ...titles,
  maybe(leaf('default', flag)),
  maybe(leaf('uservisible', flag)),
  maybe(leaf('langonly', anyText)),
  maybe(element('packagelist', {}, many(requirement))),
  extra,
);
const environment = element(
  'environment',
  {},
  leaf('id', name),
  ...titles,
  groupIds('grouplist'),
  groupIds('optionlist'),
  extra,
);
const category = element('category', {}, leaf('id', name), ...titles, groupIds('grouplist'));
const langpacks = element('langpacks', {}, many(element('match', { name, install: anyText })));
const doctype = '<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n';
export const compsFile: Arbitrary<Uint8Array> = fc
  .constantFrom('', doctype)
  .chain((each) => file(element('comps', {}, many(group), many(environment), many(category), maybe(langpacks)), each));

const reboot = maybe(leaf('reboot_suggested', fc.constantFrom('', 'True', '1', 'False')));
const reference = element('reference', {
  'href?': anyText,
  'id?': fc.oneof(fc.constant('CVE-2024-1234'), anyText),
  'type?': fc.constantFrom('cve', 'CVE', 'bugzilla', 'self', ''),
  'title?': anyText,
});
const updated = element(
  'package',
  { name, version, release: version, arch, 'epoch?': epoch, 'src?': anyText },
  maybe(leaf('filename', anyText)),
  maybe(leaf('sum', hex(8), { 'type?': fc.constantFrom('sha256', 'md5') })),
  reboot,
);
const collection = element(
  'collection',
  { 'short?': anyText },
  maybe(leaf('name', anyText)),
  maybe(element('module', { 'name?': name, 'stream?': version, 'version?': version, 'context?': name, 'arch?': arch })),
  many(updated),
);
const update = element(
  'update',
  { 'from?': anyText, 'status?': anyText, 'type?': fc.constantFrom('security', 'bugfix', ''), 'version?': anyText },
  leaf('id', name),
  maybe(leaf('title', anyText)),
  maybe(leaf('severity', anyText)),
  maybe(element('issued', { 'date?': date })),
  maybe(element('updated', { 'date?': date })),
  maybe(leaf('description', anyText)),
  reboot,
  maybe(element('references', {}, many(reference))),
  many(element('pkglist', {}, many(collection, 2)), 2),
  extra,
);
export const updateinfoFile: Arbitrary<Uint8Array> = file(element('updates', {}, many(update)));
