import { KubedosError } from '../../errors.ts';
import type { CommandSpec, Context } from '../command.ts';
import { makeKeys } from '../keys.ts';
import { DEFAULT_PORT, serveHouse, stopped } from '../serving.ts';
import { findSpec } from '../specs.ts';
import { syncSpec } from '../sync.ts';
import { clientSources } from './client-config.ts';
import { createSnapshot } from './snapshot.ts';

const MIRROR = 'debian-12-bootable';
const CHANNEL = 'stable';

export const startCommand: CommandSpec = {
  path: 'start',
  summary: 'the whole chain on a small example: make a store, sync a bootable Debian 12, snapshot, serve',
  description: 'What is done already is not done again; stopped at any point, the next start goes on from there.',
  options: [
    { flags: '--port <number>', summary: 'port on loopback', default: String(DEFAULT_PORT) },
    { flags: '--spec <spec>', summary: 'another mirror spec', default: MIRROR },
    { flags: '--once', summary: 'do all but serve' },
  ],
  examples: ['kubedos start', 'KUBEDOS_DATA=/srv/kubedos kubedos start --port 9000'],
  run: async (context, input) => {
    await ensureStore(context);
    const found = await findSpec(context.house.dataDir, input.string('spec') ?? MIRROR);
    const store = await context.house.store();
    if (!(await store.channels.read(CHANNEL))) {
      context.say(`mirroring ${found.spec.name} into ${store.dir}`);
      await syncSpec(context, found);
      const { snapshot } = await createSnapshot(context);
      await store.channels.move(CHANNEL, snapshot.id, { now: context.house.now() });
      context.say(`snapshot ${snapshot.id} is frozen, signed, and channel ${CHANNEL} names it`);
    }
    if (input.flag('once')) return { data: { dir: store.dir }, text: `all is done in ${store.dir}` };
    const server = await serveHouse(context.house, {
      port: input.integer('port'),
      log: (event) => process.stderr.write(`${event.level}: ${event.message}\n`),
    });
    context.say(await farewell(context, server.url, found.spec.name));
    await stopped(context.signal);
    await server.close();
    return { data: { url: server.url, dir: store.dir }, text: 'stopped' };
  },
};

async function ensureStore(context: Context): Promise<void> {
  const { house } = context;
  try {
    await house.store();
  } catch (error) {
    if (!(error instanceof KubedosError) || error.code !== 'store.none') throw error;
    house.forget();
    await house.initStore();
  }
  // A start that was killed between the store and its key goes on here.
  if ((await (await house.keys()).publicArmored()) === undefined) {
    await makeKeys(house, { algorithm: 'ed25519', userId: 'kubedos' });
  }
}

/** The URL, the client lines, and the next three things to try. */
async function farewell(context: Context, url: string, mirror: string): Promise<string> {
  const root = `${url.replace(/\/$/, '')}/c/${CHANNEL}/${mirror}`;
  const sources = await clientSources(context.house, { reference: CHANNEL, mirror, url: `${root}/` });
  return `
Serving on ${url}/

Paste this on a client, into /etc/apt/sources.list.d/${mirror}.sources:

${sources}
Try next:
  1. curl -s ${root}/ | less            look around (or open ${url}/ in a browser)
  2. kubedos mirror why libpam0g        why is that package here?
  3. kubedos store check                is all of it there, and signed?
("kubedos" from this checkout is: npm run --silent kubedos -- …)

Ctrl-C stops; the next start serves at once.`;
}
