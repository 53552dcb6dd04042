import type { ClientConfig, ServerDeps } from './deps.ts';
import { encodePath } from './request-path.ts';
import type { Views } from './views.ts';

/** Where clients reach this server: what its operator says, or the address that the asking client used. */
export function baseUrl(deps: Pick<ServerDeps, 'options'>, requestUrl: string): string {
  return (deps.options?.publicUrl ?? new URL(requestUrl).origin).replace(/\/+$/, '');
}

/** The lines for one mirror in one channel; undefined where there is no such channel or mirror, or no lines for its kind. */
export async function clientLines(
  parts: { readonly deps: ServerDeps; readonly views: Views },
  wanted: { readonly channel: string; readonly mirror: string; readonly base: string },
): Promise<ClientConfig | undefined> {
  const view = await parts.views.channel(wanted.channel);
  const mirror = view?.current.mirrors.get(wanted.mirror);
  if (view === undefined || mirror === undefined) return undefined;
  const url = `${wanted.base}/c/${encodePath(`${wanted.channel}/${wanted.mirror}`)}/`;
  return parts.deps.clientConfig?.({ snapshot: view.current.snapshot, mirror, url });
}
