import type { ClientConfig, ServerDeps } from './deps.ts';
import { encodePath } from './request-path.ts';
import type { Views } from './views.ts';

/** Where clients reach this server: what its operator says, or the address that the asking client used. */
export function baseUrl(deps: Pick<ServerDeps, 'options'>, requestUrl: string): string {
  return (deps.options?.publicUrl ?? new URL(requestUrl).origin).replace(/\/+$/, '');
}

/** Finding the suites of a mirror reads parts of it: kept for some states, since the start page shows all mirrors. */
const MAX_KEPT = 256;

/** Gives the lines to paste for mirrors in channels, kept as long as the channel's state and the keys are the same. */
export class ClientLines {
  readonly #deps: Pick<ServerDeps, 'clientConfig' | 'keyStamp'>;
  readonly #views: Views;
  readonly #kept = new Map<string, ClientConfig | undefined>();

  constructor(deps: Pick<ServerDeps, 'clientConfig' | 'keyStamp'>, views: Views) {
    this.#deps = deps;
    this.#views = views;
  }

  /** Undefined where there is no such channel or mirror, or no lines for its kind. */
  async of(wanted: {
    readonly channel: string;
    readonly mirror: string;
    readonly base: string;
  }): Promise<ClientConfig | undefined> {
    const view = await this.#views.channel(wanted.channel);
    const mirror = view?.current.mirrors.get(wanted.mirror);
    if (view === undefined || mirror === undefined) return undefined;
    const url = `${wanted.base}/c/${encodePath(`${wanted.channel}/${wanted.mirror}`)}/`;
    const key = `${view.current.snapshot.id} ${url} ${this.#deps.keyStamp?.() ?? ''}`;
    if (this.#kept.has(key)) return this.#kept.get(key);
    const lines = await this.#deps.clientConfig?.({ snapshot: view.current.snapshot, mirror, url });
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, lines);
    return lines;
  }
}
