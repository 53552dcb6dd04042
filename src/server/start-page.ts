import { html } from 'hono/html';
import { groupedFingerprint } from '../trust/fingerprint.ts';
import type { ApiChannel, ApiMirror, ApiSnapshot } from './api-types.ts';
import type { ClientConfig } from './deps.ts';
import { age, type Html, layout } from './page.ts';
import { encodePath } from './request-path.ts';
import { readableBytes, readableCount } from './units.ts';

export interface StartPage {
  readonly storeId: string;
  readonly now: Date;
  /** `http://host:8080`, for the commands to copy. */
  readonly base: string;
  readonly mirrors: readonly { readonly mirror: ApiMirror; readonly channel?: string; readonly lines?: ClientConfig }[];
  readonly channels: readonly ApiChannel[];
  readonly snapshots: readonly ApiSnapshot[];
  readonly snapshotTotal: number;
}

/** What this server has and how to use it, on one page. */
export function startPage(page: StartPage): Html {
  const body = html`
<div class="intro">
<h1>Package repositories</h1>
<p>Served from signed snapshots, with nothing fetched from outside. Store <code>${page.storeId.slice(0, 8)}</code></p>
</div>
${section(
  'mirrors',
  'Mirrors',
  page.mirrors.length,
  page.mirrors.map((one) => mirrorArticle(page, one)),
)}
${section('channels', 'Channels', page.channels.length, channelTable(page))}
${section('snapshots', 'Snapshots', page.snapshotTotal, snapshotTable(page))}
<footer>
<p>For programs: <a href="/api/mirrors">mirrors</a>, <a href="/api/channels">channels</a>,
<a href="/api/snapshots">snapshots</a> as JSON; <a href="/metrics">metrics</a> for Prometheus.</p>
</footer>`;
  return layout({ title: 'kubedos – package repositories', body, home: true });
}

function section(id: string, title: string, count: number, content: Html | readonly Html[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title} <span class="count">${readableCount(count)}</span></h2>
${count === 0 ? html`<p class="none">${NONE[id] ?? ''}</p>` : content}
</section>
`;
}

const NONE: Readonly<Record<string, string>> = {
  mirrors: 'No mirror yet. “kubedos mirror sync SPEC” fetches one, “kubedos bundle import” brings some in.',
  channels: 'No channel yet. “kubedos channel set stable SNAPSHOT” makes one.',
  snapshots: 'No snapshot yet. “kubedos snapshot create” freezes the mirrors as they are.',
};

function mirrorArticle(page: StartPage, { mirror, channel, lines }: StartPage['mirrors'][number]): Html {
  const folder = channel === undefined ? undefined : `/c/${encodePath(`${channel}/${mirror.name}`)}/`;
  return html`<article class="mirror">
<h3>${folder === undefined ? mirror.name : html`<a href="${folder}">${mirror.name}</a>`}</h3>
<p class="facts">${mirror.kind}, ${mirror.form}<span class="dot">·</span>${mirror.files === 1 ? '1 file' : `${readableCount(mirror.files)} files`}<span class="dot">·</span>${readableBytes(mirror.bytes)}<span class="dot">·</span>updated ${age(mirror.time, page.now)}</p>
${mirror.channels.length === 0 ? html`<p class="none">Not in a channel yet: clients cannot reach it.</p>` : ''}
${lines === undefined || channel === undefined ? '' : clientBox(page.base, { mirror: mirror.name, channel, lines })}
${mirror.evidence.length === 0 ? '' : evidenceBox(mirror, page.now)}
</article>
`;
}

function clientBox(
  base: string,
  { mirror, channel, lines }: { readonly mirror: string; readonly channel: string; readonly lines: ClientConfig },
): Html {
  const url = `${base}/api/client-config/${encodePath(`${channel}/${mirror}`)}`;
  const label = `Lines for ${mirror} in ${lines.path}`;
  return html`<pre class="copy command" tabindex="0" aria-label="Command that configures a client for ${mirror}"><code>curl -fsS ${url} -o ${lines.path}</code></pre>
<details>
<summary>Or paste into <code>${lines.path}</code></summary>
<pre class="copy" tabindex="0" aria-label="${label}"><code>${lines.text.trimEnd()}</code></pre>
</details>`;
}

function evidenceBox({ evidence, name, form }: ApiMirror, now: Date): Html {
  const items = evidence.map(
    ({ source, date, validUntil, fingerprints }) => html`<li><span class="source">${source}</span>
${date === null ? '' : html`<span>of ${age(date, now)}</span>`}
${validUntil === null ? '' : html`<span>${new Date(validUntil) < now ? 'was valid until' : 'valid until'} ${validUntil.slice(0, 10)}</span>`}
${fingerprints.map((fingerprint) => html`<code class="fingerprint">${groupedFingerprint(fingerprint)}</code>`)}</li>`,
  );
  return html`<details>
<summary>Signed by ${form === 'local' ? 'this store' : 'upstream'} <span class="unseen">of ${name}</span></summary>
<ul class="evidence">${items}</ul>
</details>`;
}

function channelTable({ channels, snapshots, now }: StartPage): Html {
  const times = new Map(snapshots.map(({ id, time }) => [id, time]));
  const rows = channels.map(({ name, snapshot, time }) => {
    const taken = times.get(snapshot);
    return html`<tr>
<th scope="row"><a href="/c/${encodePath(name)}/">${name}</a></th>
<td><a href="/s/${snapshot}/"><code>${snapshot}</code></a></td>
<td>${taken === undefined ? '' : age(taken, now)}</td>
<td>${age(time, now)}</td>
</tr>
`;
  });
  return html`<div class="wide" tabindex="0" role="region" aria-labelledby="channels-title"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Points at</th><th scope="col">Taken</th><th scope="col">Moved</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`;
}

function snapshotTable({ snapshots, snapshotTotal, now }: StartPage): Html {
  const rows = snapshots.map((snapshot) => {
    const labels = [...snapshot.channels, ...snapshot.tags, ...(snapshot.protected ? ['protected'] : [])];
    return html`<tr>
<th scope="row"><a href="/s/${snapshot.id}/"><code>${snapshot.id}</code></a></th>
<td class="labels">${labels.map((label) => html`<span class="label">${label}</span> `)}${snapshot.note ?? ''}</td>
<td>${age(snapshot.time, now)}</td>
<td class="figure">${readableCount(snapshot.mirrors.length)}</td>
<td class="figure">${readableCount(snapshot.files)}</td>
<td class="figure">${readableBytes(snapshot.bytes)}</td>
</tr>
`;
  });
  return html`<div class="wide" tabindex="0" role="region" aria-labelledby="snapshots-title"><table>
<thead><tr><th scope="col">Id</th><th scope="col">Labels</th><th scope="col">Taken</th><th scope="col" class="figure">Mirrors</th><th scope="col" class="figure">Files</th><th scope="col" class="figure">Size</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>
${snapshotTotal > snapshots.length ? html`<p><a href="/s/">All ${readableCount(snapshotTotal)} snapshots</a></p>` : ''}`;
}
