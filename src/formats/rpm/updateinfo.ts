/**
 * updateinfo.xml: advisories (createrepo_c, xml_parser_updateinfo.c and xml_dump_updateinfo.c; libsolv reads it for dnf).
 * The elements themselves are what is carried, so that what a vendor adds survives.
 */
import { KubedosError } from '../../errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { child, childrenOf, textOf, type XmlElement, xmlChildren } from '../xml/elements.ts';
import { elementText } from '../xml/write.ts';
import type { Nevra } from './package.ts';

/** The largest distributions have some 30,000. */
const MAX_UPDATES = 500_000;
/** Of one advisory, all its collections together; a service pack has some 20,000. */
const MAX_PACKAGES = 200_000;

export interface UpdateReference {
  /** `cve`, `bugzilla`, `self`, …; empty where it is not told. */
  readonly type: string;
  readonly id: string;
  readonly href: string;
  readonly title: string;
}

export interface UpdateModule {
  readonly name: string;
  readonly stream: string;
  readonly version: string;
  readonly context: string;
  readonly arch: string;
}

export interface UpdatePackage extends Nevra {
  /** Name of the source package's file; some write an URL. */
  readonly src?: string | undefined;
  readonly filename?: string | undefined;
  /** Of the file; the algorithm as it stands. */
  readonly sum?: { readonly type: string; readonly hex: string } | undefined;
  readonly rebootSuggested: boolean;
}

export interface UpdateCollection {
  readonly short: string;
  readonly name: string;
  /** The module build that the packages belong to. */
  readonly module?: UpdateModule | undefined;
  readonly packages: readonly UpdatePackage[];
}

export interface Update {
  /** Not unique: the same advisory comes once more with other packages. */
  readonly id: string;
  /** `security`, `bugfix`, `enhancement`, `newpackage`, …; empty where it is not told. */
  readonly type: string;
  readonly status: string;
  readonly title: string;
  /** As the vendor words it. */
  readonly severity?: string | undefined;
  /** Seconds; `undefined` where there is none, or none that can be read. */
  readonly issued?: number | undefined;
  readonly updated?: number | undefined;
  readonly rebootSuggested: boolean;
  readonly references: readonly UpdateReference[];
  readonly collections: readonly UpdateCollection[];
  readonly element: XmlElement;
}

/**
 * The advisories as they come. `format.syntax` for what is no such file, an advisory without id or a package without name,
 * version, release or architecture; `format.limit` beyond the bounds above.
 */
export async function* parseUpdateinfo(source: ByteSource, origin: string): AsyncGenerator<Update> {
  let count = 0;
  for await (const element of xmlChildren(source, { origin, root: ['updates'] })) {
    if (element.name !== 'update') continue;
    count += 1;
    if (count > MAX_UPDATES)
      throw new KubedosError('format.limit', `parse ${origin}: more than ${MAX_UPDATES} advisories`);
    yield updateOf(element, origin);
  }
}

function updateOf(element: XmlElement, origin: string): Update {
  const id = textOf(element, 'id');
  if (!id) throw new KubedosError('format.syntax', `parse ${origin}: an advisory has no id`);
  const place = `${origin}: ${id}`;
  const found = collectionElements(element);
  if (found.reduce((sum, each) => sum + each.children.length, 0) > MAX_PACKAGES)
    throw new KubedosError('format.limit', `parse ${place}: more than ${MAX_PACKAGES} packages`);
  const collections = found.map((each) => collectionOf(each, place));
  return {
    id,
    type: element.attributes.type ?? '',
    status: element.attributes.status ?? '',
    title: textOf(element, 'title') ?? '',
    severity: textOf(element, 'severity') || undefined,
    issued: secondsOf(child(element, 'issued')?.attributes.date),
    updated: secondsOf(child(element, 'updated')?.attributes.date),
    rebootSuggested:
      suggested(element) || collections.some(({ packages }) => packages.some((each) => each.rebootSuggested)),
    references: childrenOf(element, 'references').flatMap((each) => childrenOf(each, 'reference').map(referenceOf)),
    collections,
    element,
  };
}

function collectionElements(update: XmlElement): XmlElement[] {
  return childrenOf(update, 'pkglist').flatMap((each) => childrenOf(each, 'collection'));
}

function referenceOf({ attributes }: XmlElement): UpdateReference {
  const { type = '', id = '', href = '', title = '' } = attributes;
  return { type, id, href, title };
}

function collectionOf(element: XmlElement, place: string): UpdateCollection {
  const module = child(element, 'module');
  return {
    short: element.attributes.short ?? '',
    name: textOf(element, 'name') ?? '',
    module: module && moduleOf(module),
    packages: childrenOf(element, 'package').map((each) => packageOf(each, place)),
  };
}

function moduleOf({ attributes }: XmlElement): UpdateModule {
  const { name = '', stream = '', version = '', context = '', arch = '' } = attributes;
  return { name, stream, version, context, arch };
}

function packageOf(element: XmlElement, place: string): UpdatePackage {
  const sum = child(element, 'sum');
  return {
    ...nevraOf(element, place),
    src: element.attributes.src || undefined,
    filename: textOf(element, 'filename') || undefined,
    sum: sum && { type: sum.attributes.type ?? '', hex: sum.text.trim() },
    rebootSuggested: suggested(element),
  };
}

function nevraOf({ attributes }: XmlElement, place: string): Nevra {
  const { name, epoch, version, release, arch } = attributes;
  if (!name || !version || !release || !arch)
    throw new KubedosError('format.syntax', `parse ${place}: a package lacks name, version, release or arch`);
  return { name, epoch: epoch || '0', version, release, arch };
}

/** Empty as createrepo_c takes it, or with `True` or `1` in it (libsolv). */
function suggested(element: XmlElement): boolean {
  const text = textOf(element, 'reboot_suggested');
  return text !== undefined && /^(?:[Tt1]|$)/.test(text);
}

/**
 * Seconds since the epoch, or `YYYY-MM-DD` with a time of UTC as libsolv takes it; some vendors leave out the seconds, or
 * the time. A leap second is that before it: Date knows none.
 */
function secondsOf(date: string | undefined): number | undefined {
  const text = date?.trim() ?? '';
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d)(?::(\d\d))?)?(?!\d)/.exec(text);
  if (match === null) return undefined;
  const [, day = '', minute = '00:00', second = '00'] = match;
  const time = Date.parse(`${day}T${minute}:${second === '60' ? '59' : second}Z`);
  return Number.isNaN(time) ? undefined : time / 1000;
}

/** Those of its references of type `cve`, each once: what `dnf updateinfo --cve` finds. */
export function cvesOf({ references }: Update): string[] {
  const found = references
    .filter(({ type }) => type.toLowerCase() === 'cve')
    .flatMap(({ id, title }) => `${id} ${title}`.match(/\bCVE-\d{4}-\d{4,}\b/gi) ?? []);
  return [...new Set(found.map((each) => each.toUpperCase()))];
}

/**
 * Without the packages that are not there, and collections that have none; `undefined` where no package is left, or there
 * was none. The rest stays as it is.
 */
export function pruneUpdate(update: Update, hasNevra: (nevra: Nevra) => boolean): Update | undefined {
  const keptPackage = (each: XmlElement): boolean => each.name !== 'package' || hasNevra(nevraOf(each, update.id));
  const collection = (each: XmlElement): XmlElement[] => {
    if (each.name !== 'collection') return [each];
    const pruned = { ...each, children: each.children.filter(keptPackage) };
    return pruned.children.some(({ name }) => name === 'package') ? [pruned] : [];
  };
  const list = (each: XmlElement): XmlElement[] => {
    if (each.name !== 'pkglist') return [each];
    const pruned = { ...each, children: each.children.flatMap(collection) };
    return pruned.children.some(({ name }) => name === 'collection') ? [pruned] : [];
  };
  const element = { ...update.element, children: update.element.children.flatMap(list) };
  return collectionElements(element).length === 0 ? undefined : updateOf(element, update.id);
}

/** The whole file, a chunk an advisory. Clients are better off with no record than with an empty file. */
export async function* updateinfoChunks(updates: AsyncIterable<Update> | Iterable<Update>): AsyncGenerator<Buffer> {
  yield Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n');
  for await (const { element } of updates) yield Buffer.from(elementText(element, 1));
  yield Buffer.from('</updates>\n');
}
