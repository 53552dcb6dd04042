import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { readableAge, readableTime } from './units.ts';

/** What hono's html`` gives: values in it are escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** The frame of every page: readable without style and without script. */
export function layout(page: { readonly title: string; readonly body: Html; readonly home?: boolean }): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<link rel="stylesheet" href="/web/style.css">
<link rel="icon" href="/web/icon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="bar">
<a class="mark" href="/"${page.home ? html` aria-current="page"` : ''}>kubedos</a>
<nav aria-label="Parts of this server">
<a href="/#mirrors">Mirrors</a>
<a href="/#channels">Channels</a>
<a href="/#snapshots">Snapshots</a>
</nav>
</header>
<main id="content" tabindex="-1">
${page.body}
</main>
</body>
</html>
`;
}

/** An age that says its exact time to those who point at it and to machines. */
export function age(iso: string, now: Date): Html {
  const time = new Date(iso);
  return html`<time datetime="${iso}" title="${readableTime(time)}">${readableAge(time, now)}</time>`;
}

/** A page that says one thing: an error, mostly. */
export function messagePage(title: string, text: string): Html {
  return layout({
    title: `${title} – kubedos`,
    body: html`<h1>${title}</h1><p>${text}</p><p><a href="/">Start page</a></p>`,
  });
}
