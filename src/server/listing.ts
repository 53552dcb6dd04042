import { html } from 'hono/html';
import type { DirectoryEntry } from './deps.ts';
import { type Html, layout } from './page.ts';
import { encodePath, type FileTarget } from './request-path.ts';
import { readableBytes } from './units.ts';

/** A folder for people: names as links, sizes, pages of `limit` entries (one more in `listed` says that there is a next). */
export function listingPage(folder: {
  readonly target: FileTarget;
  readonly listed: readonly DirectoryEntry[];
  readonly after: string | undefined;
  readonly limit: number;
  /** Below a channel, whose content changes. */
  readonly moving: boolean;
}): Html {
  const { target, listed, limit } = folder;
  const shown = listed.slice(0, limit);
  const last = listed.length > limit ? shown.at(-1) : undefined;
  const next = last && `?after=${encodeURIComponent(`${last.name}${last.directory ? '/' : ''}`)}`;
  const name = target.path === '' ? target.mirror : target.path.slice(target.path.lastIndexOf('/') + 1);
  const body = html`
${trail(target)}
<h1>${name}</h1>
${shown.length === 0 ? html`<p>Nothing here.</p>` : table(shown)}
<p class="pages">${folder.after === undefined ? '' : html`<a href="./">First page</a> `}${
    next ? html`<a href="${next}" rel="next">Next ${limit} entries</a>` : ''
  }</p>`;
  return layout({ title: `${name} – kubedos`, body });
}

function table(entries: readonly DirectoryEntry[]): Html {
  return html`<table class="listing">
<thead><tr><th scope="col">Name</th><th scope="col" class="figure">Size</th></tr></thead>
<tbody>
<tr><td><a href="../">../</a></td><td></td></tr>
${entries.map(row)}</tbody>
</table>`;
}

function row({ name, directory, sizeBytes }: DirectoryEntry): Html {
  const shown = directory ? `${name}/` : name;
  // A name with a colon would be taken for a scheme without the ./
  const size = sizeBytes === undefined ? '' : html`<span title="${sizeBytes} bytes">${readableBytes(sizeBytes)}</span>`;
  return html`<tr><td><a href="./${encodePath(shown)}">${shown}</a></td><td class="figure">${size}</td></tr>
`;
}

/** Where one is: area / channel / mirror / folders, each a link upwards. */
function trail(target: FileTarget): Html {
  const segments = [target.reference, target.mirror, ...(target.path === '' ? [] : target.path.split('/'))];
  const links = segments.slice(0, -1).map((segment, i) => {
    const href = `/${target.area}/${encodePath(segments.slice(0, i + 1).join('/'))}/`;
    return html`<li><a href="${href}">${segment}</a></li>`;
  });
  const top = target.area === 'c' ? 'Channels' : 'Snapshots';
  return html`<nav class="trail" aria-label="Folders above"><ol><li><a href="/${target.area}/">${top}</a></li>${links}</ol></nav>`;
}

/** The tops above mirrors: channels, snapshots, or the mirrors in one of them. */
export function placesPage(title: string, names: readonly string[]): Html {
  const items = names.map((name) => html`<li><a href="./${encodePath(name)}/">${name}</a></li>`);
  const body = html`<nav class="trail" aria-label="Above"><ol><li><a href="../">Up</a></li></ol></nav>
<h1>${title}</h1>
${names.length === 0 ? html`<p>Nothing here yet.</p>` : html`<ul class="places">${items}</ul>`}`;
  return layout({ title: `${title} – kubedos`, body });
}
