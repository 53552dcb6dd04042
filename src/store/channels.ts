import { join } from 'node:path';
import { KubedosError } from '../errors.ts';
import { type DocumentFolder, openSealed, sealDocument } from './documents.ts';
import type { ProcessLock } from './lock.ts';
import { checkLabelName, isLabelName } from './names.ts';
import { channelSchema, isoSeconds } from './schemas.ts';
import type { Channel, Channels, Snapshot } from './types.ts';

const HISTORY = 100;

/** channels/NAME.json */
export class ChannelFolder implements Channels {
  readonly #folder: string;
  readonly #documents: DocumentFolder;
  readonly #lock: ProcessLock;
  readonly #findSnapshot: (id: string) => Promise<Snapshot | undefined>;

  constructor(
    folder: string,
    parts: {
      readonly documents: DocumentFolder;
      readonly lock: ProcessLock;
      readonly findSnapshot: (id: string) => Promise<Snapshot | undefined>;
    },
  ) {
    this.#folder = folder;
    this.#documents = parts.documents;
    this.#lock = parts.lock;
    this.#findSnapshot = parts.findSnapshot;
  }

  async read(name: string): Promise<Channel | undefined> {
    if (!isLabelName(name)) return undefined;
    const bytes = await this.#documents.read(this.#file(name));
    if (!bytes) return undefined;
    const channel = openSealed(bytes, channelSchema, `channel ${name}`);
    if (channel.name === name) return channel;
    throw new KubedosError('store.corrupt', `read channel ${name}: it is that of ${channel.name}`);
  }

  async list(): Promise<Channel[]> {
    const channels = await Promise.all((await this.names()).map((name) => this.read(name)));
    return channels.filter((channel) => channel !== undefined);
  }

  /** Names alone, sorted, also of channels that cannot be read. */
  names(): Promise<string[]> {
    return this.#documents.names(this.#folder);
  }

  /** Moving it to where it points already changes nothing. */
  async move(
    name: string,
    snapshot: string,
    options: { readonly now: Date; readonly expected?: string | undefined },
  ): Promise<Channel> {
    const file = this.#file(checkLabelName('channel', name));
    return this.#lock.hold(`channel ${name}`, async () => {
      const before = await this.read(name);
      if ('expected' in options && before?.snapshot !== options.expected) {
        throw new KubedosError(
          'store.raced',
          `move channel ${name}: it points at ${before?.snapshot ?? 'nothing'}, expected ${options.expected ?? 'nothing'}`,
          { hint: 'somebody else moved it: look where it points now, then decide again' },
        );
      }
      if (!(await this.#findSnapshot(snapshot))) {
        throw new KubedosError('store.not-found', `move channel ${name}: there is no snapshot ${snapshot}`);
      }
      if (before?.snapshot === snapshot) return before;
      const passed = before ? [{ snapshot: before.snapshot, time: before.time }, ...before.history] : [];
      const channel: Channel = {
        format: 'kubedos-channel/1',
        name,
        snapshot,
        version: (before?.version ?? 0) + 1,
        time: isoSeconds(options.now),
        history: passed.slice(0, HISTORY),
      };
      await this.#documents.write(file, sealDocument(channel));
      return channel;
    });
  }

  async remove(name: string): Promise<boolean> {
    const file = this.#file(name);
    return this.#lock.hold(`channel ${name}`, () => this.#documents.remove(file));
  }

  #file(name: string): string {
    return join(this.#folder, `${checkLabelName('channel', name)}.json`);
  }
}
