/**
 * comps.xml, the `group` record of repomd.xml: package groups and environments (comps.dtd of Fedora; libcomps and dnf
 * read it). The elements themselves are what is carried, so that translations and unknown parts survive.
 */
import { KubedosError } from '../../errors.ts';
import { childrenOf, textOf, type XmlElement, xmlChildren } from '../xml/elements.ts';
import { elementText } from '../xml/write.ts';

/** Expanded; that of Fedora has some 2 MB. */
export const MAX_COMPS_BYTES = 32 * 1024 * 1024;
/** Groups, environments and categories together; the largest distributions have some 500. */
const MAX_ENTRIES = 20_000;

export interface Comps {
  /** What stands below the root, in its order. */
  readonly entries: readonly XmlElement[];
}

export const PACKAGE_REQUIREMENTS = ['mandatory', 'default', 'optional', 'conditional'] as const;
export type PackageRequirement = (typeof PACKAGE_REQUIREMENTS)[number];

/** A `packagereq`. */
export interface GroupPackage {
  readonly name: string;
  readonly type: PackageRequirement;
  /** Of `conditional`: wanted where that package is installed. */
  readonly requires?: string | undefined;
  /** Not as a package of another architecture of a multilib repository. */
  readonly baseArchOnly: boolean;
}

export interface Translated {
  readonly text: string;
  /** By `xml:lang`. */
  readonly translations: ReadonlyMap<string, string>;
}

interface Entry {
  readonly id: string;
  readonly name: Translated;
  readonly description: Translated;
  readonly element: XmlElement;
}

export interface Group extends Entry {
  /** Chosen where nothing else is said. */
  readonly isDefault: boolean;
  readonly userVisible: boolean;
  /** The language that it is for. */
  readonly langOnly?: string | undefined;
  readonly packages: readonly GroupPackage[];
}

export interface Environment extends Entry {
  /** Ids of groups. */
  readonly groups: readonly string[];
  readonly options: readonly { readonly id: string; readonly isDefault: boolean }[];
}

export interface Category extends Entry {
  readonly groups: readonly string[];
}

/** `format.syntax` for what is not such a file or has an entry without an id, `format.limit` beyond the bounds above. */
export async function parseComps(bytes: Uint8Array, origin: string): Promise<Comps> {
  if (bytes.length > MAX_COMPS_BYTES)
    throw new KubedosError('format.limit', `parse ${origin}: larger than ${MAX_COMPS_BYTES} bytes`);
  const entries: XmlElement[] = [];
  for await (const element of xmlChildren([bytes], { origin, root: ['comps'] })) {
    if (KINDS.has(element.name) && !textOf(element, 'id'))
      throw new KubedosError('format.syntax', `parse ${origin}: a ${element.name} has no id`);
    if (entries.length === MAX_ENTRIES)
      throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_ENTRIES} entries`);
    entries.push(element);
  }
  return { entries };
}

const KINDS: ReadonlySet<string> = new Set(['group', 'environment', 'category']);

/** As libcomps writes it. */
export function compsText({ entries }: Comps): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n',
    '<comps>\n',
    ...entries.map((each) => elementText(each, 1)),
    '</comps>\n',
  ].join('');
}

/** An id may occur twice: clients see the packages of both. */
export function compsGroups(comps: Comps): Group[] {
  return entriesNamed(comps, 'group').map((element) => ({
    ...entryOf(element),
    isDefault: flag(textOf(element, 'default'), false),
    userVisible: flag(textOf(element, 'uservisible'), true),
    langOnly: textOf(element, 'langonly') || undefined,
    packages: packagesIn(element),
  }));
}

export function compsEnvironments(comps: Comps): Environment[] {
  return entriesNamed(comps, 'environment').map((element) => ({
    ...entryOf(element),
    groups: listed(element, 'grouplist', 'groupid').map(ownText),
    options: listed(element, 'optionlist', 'groupid').map((each) => ({
      id: ownText(each),
      isDefault: flag(each.attributes.default, false),
    })),
  }));
}

export function compsCategories(comps: Comps): Category[] {
  return entriesNamed(comps, 'category').map((element) => ({
    ...entryOf(element),
    groups: listed(element, 'grouplist', 'groupid').map(ownText),
  }));
}

/**
 * What `dnf group install` takes: mandatory, default and conditional ones, on demand the optional ones; in the order of
 * the file. `undefined` where there is no such group.
 */
export function packagesOfGroup(
  comps: Comps,
  id: string,
  { optional }: { readonly optional: boolean },
): GroupPackage[] | undefined {
  const groups = entriesNamed(comps, 'group').filter((each) => textOf(each, 'id') === id);
  if (groups.length === 0) return undefined;
  return groups.flatMap(packagesIn).filter(({ type }) => optional || type !== 'optional');
}

/**
 * Those of its groups, then those of the optional groups that installers tick on their own (`default="true"`), and on
 * demand of all of them. Groups that are not in this file are passed over, as dnf does. `undefined` where there is no such
 * environment.
 */
export function packagesOfEnvironment(
  comps: Comps,
  id: string,
  options: { readonly optional: boolean },
): GroupPackage[] | undefined {
  const environments = compsEnvironments(comps).filter((each) => each.id === id);
  if (environments.length === 0) return undefined;
  const ids = environments.flatMap((each) => [
    ...each.groups,
    ...each.options.filter(({ isDefault }) => isDefault || options.optional).map((option) => option.id),
  ]);
  return [...new Set(ids)].flatMap((group) => packagesOfGroup(comps, group, options) ?? []);
}

export interface CompsFilter {
  hasPackage(name: string): boolean;
  /** Ids of the groups to keep; all where absent. */
  readonly groups?: ReadonlySet<string> | undefined;
  /** Ids of groups that other repositories of the same clients have: environments of RHEL's AppStream name those of BaseOS. */
  readonly groupsElsewhere?: ReadonlySet<string> | undefined;
}

/**
 * Without the packages that are not there, groups that have none, ids of groups that are not there, and environments and
 * categories that name none: dnf fails on a category with a group that it does not find. The rest stays as it is.
 */
export function pruneComps(comps: Comps, { hasPackage, groups, groupsElsewhere }: CompsFilter): Comps {
  const wanted = (element: XmlElement): boolean => groups?.has(textOf(element, 'id') ?? '') ?? true;
  const filtered = comps.entries.flatMap((entry) => {
    if (entry.name !== 'group') return [entry];
    if (!wanted(entry)) return [];
    const pruned = pruneList(entry, 'packagelist', (each) => hasPackage(ownText(each)));
    return listed(pruned, 'packagelist', 'packagereq').length > 0 ? [pruned] : [];
  });
  const left = new Set(filtered.filter(({ name }) => name === 'group').map((each) => textOf(each, 'id')));
  const known = (each: XmlElement): boolean => left.has(ownText(each)) || groupsElsewhere?.has(ownText(each)) === true;
  const entries = filtered.flatMap((entry) => {
    if (entry.name !== 'environment' && entry.name !== 'category') return [entry];
    const pruned = pruneList(pruneList(entry, 'grouplist', known), 'optionlist', known);
    const ids = [...listed(pruned, 'grouplist', 'groupid'), ...listed(pruned, 'optionlist', 'groupid')];
    return ids.length > 0 ? [pruned] : [];
  });
  return { entries };
}

/** Without items the list goes too: libcomps writes none, and calls an empty one an error. */
function pruneList(entry: XmlElement, list: string, keep: (item: XmlElement) => boolean): XmlElement {
  const children = entry.children.flatMap((each) => {
    if (each.name !== list) return [each];
    const left = each.children.filter((item) => !ITEMS.has(item.name) || keep(item));
    return left.some((item) => ITEMS.has(item.name)) ? [{ ...each, children: left }] : [];
  });
  return { ...entry, children };
}

const ITEMS: ReadonlySet<string> = new Set(['packagereq', 'groupid']);

function entriesNamed({ entries }: Comps, name: string): XmlElement[] {
  return entries.filter((each) => each.name === name);
}

function listed(entry: XmlElement, list: string, item: string): XmlElement[] {
  return childrenOf(entry, list).flatMap((each) => childrenOf(each, item));
}

function ownText({ text }: XmlElement): string {
  return text.trim();
}

function entryOf(element: XmlElement): Entry {
  return {
    id: textOf(element, 'id') ?? '',
    name: translated(element, 'name'),
    description: translated(element, 'description'),
    element,
  };
}

function translated(element: XmlElement, name: string): Translated {
  const all = childrenOf(element, name);
  const own = all.find(({ attributes }) => attributes['xml:lang'] === undefined);
  const translations = all.flatMap((each): [string, string][] => {
    const language = each.attributes['xml:lang'];
    return language === undefined ? [] : [[language, ownText(each)]];
  });
  return { text: own === undefined ? '' : ownText(own), translations: new Map(translations) };
}

function packagesIn(group: XmlElement): GroupPackage[] {
  return listed(group, 'packagelist', 'packagereq').map((element) => ({
    name: ownText(element),
    type: requirementOf(element.attributes.type),
    requires: element.attributes.requires || undefined,
    baseArchOnly: flag(element.attributes.basearchonly, false),
  }));
}

/** Without a type it is mandatory; with an unknown one libcomps makes it a default one. */
function requirementOf(type: string | undefined): PackageRequirement {
  if (type === undefined) return 'mandatory';
  return PACKAGE_REQUIREMENTS.find((known) => known === type.toLowerCase()) ?? 'default';
}

/** As libcomps: whatever is neither is as if it were not there. */
function flag(text: string | undefined, otherwise: boolean): boolean {
  return text === 'true' || (text !== 'false' && otherwise);
}
