import { KubedosError } from '../../errors.ts';
import type { House } from '../../wiring.ts';
import type { CommandSpec } from '../command.ts';

export interface SourcesRequest {
  /** Snapshot or channel. */
  readonly reference: string;
  readonly mirror: string;
  /** Top folder of the mirror as clients reach it, ending in `/`. */
  readonly url: string;
}

/** The deb822 `.sources` of an apt mirror, keys embedded, or the `.repo` of a yum one, which names them. */
export async function clientSources(house: House, { reference, mirror: name, url }: SourcesRequest): Promise<string> {
  const snapshot = await (await house.store()).snapshots.resolve(reference);
  const mirror = snapshot.document.mirrors.find((one) => one.name === name);
  const config = mirror && (await house.clientConfig({ snapshot, mirror, url }));
  if (config) return config.text;
  const names = snapshot.document.mirrors.map((one) => one.name).join(', ');
  throw new KubedosError('store.not-found', `${reference} holds no repository ${name}`, { hint: `it holds: ${names}` });
}

export const clientConfigCommand: CommandSpec = {
  path: 'client-config',
  summary: 'what clients of a mirror need: a .sources file with its keys embedded, or a .repo file',
  arguments: [{ name: 'mirror', summary: 'its name' }],
  options: [
    { flags: '--channel <name>', summary: 'as this channel shows it', default: 'stable' },
    { flags: '--snapshot <id>', summary: 'as this snapshot holds it, for ever' },
    { flags: '--url <url>', summary: 'how clients reach the server', default: 'http://127.0.0.1:8480' },
  ],
  examples: [
    'kubedos client-config debian-12 --url http://mirror.example.org > /etc/apt/sources.list.d/debian-12.sources',
    'kubedos client-config debian-12 --snapshot 12',
    'kubedos client-config example-9 > /etc/yum.repos.d/example-9.repo',
  ],
  run: async (context, input) => {
    const mirror = input.argument(0);
    const base = (input.string('url') ?? '').replace(/\/+$/, '');
    const pinned = input.string('snapshot');
    const reference = pinned ?? input.string('channel') ?? 'stable';
    const { id } = await (await context.house.store()).snapshots.resolve(reference);
    const folder = pinned === undefined ? `c/${reference}` : `s/${id}`;
    const text = await clientSources(context.house, { reference, mirror, url: `${base}/${folder}/${mirror}/` });
    return { data: { mirror, sources: text }, text: text.trimEnd() };
  },
};
