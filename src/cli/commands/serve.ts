import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { DEFAULT_PORT, serveHouse, stopped } from '../serving.ts';

export const serveCommand: CommandSpec = {
  path: 'serve',
  summary: 'serve channels and snapshots over HTTP',
  description:
    'Runs until it is told to stop by SIGINT or SIGTERM, and finishes what it sends. Listens on loopback alone unless --allow-remote is given.',
  options: [
    { flags: '--host <address>', summary: 'address to listen on', default: '127.0.0.1' },
    { flags: '--port <number>', summary: 'port to listen on', default: String(DEFAULT_PORT) },
    { flags: '--allow-remote', summary: 'allow an address beyond loopback' },
    { flags: '--public-url <url>', summary: 'what clients call this server, where a proxy stands in front' },
    { flags: '--tls-cert <file>', summary: 'certificate chain, PEM' },
    { flags: '--tls-key <file>', summary: 'its private key, PEM' },
    { flags: '--accel-prefix <path>', summary: 'let nginx in front send large files by X-Accel-Redirect' },
    { flags: '--access-log <form>', summary: 'json or combined, on standard output' },
  ],
  examples: [
    'kubedos serve',
    'kubedos serve --host 0.0.0.0 --allow-remote --port 80',
    'kubedos serve --tls-cert chain.pem --tls-key key.pem --access-log combined',
  ],
  run: async (context, input) => {
    const store = await context.house.store();
    const [certFile, keyFile] = [input.string('tls-cert'), input.string('tls-key')];
    if ((certFile === undefined) !== (keyFile === undefined)) {
      throw new KubedosError('usage.argument', 'serve: --tls-cert and --tls-key go together');
    }
    const form = input.string('access-log');
    const { combinedLine, jsonLine } = await import('../../server/access-log.ts');
    if (form !== undefined && form !== 'json' && form !== 'combined') {
      throw new KubedosError('usage.argument', `--access-log ${form}: expected json or combined`);
    }
    const line = form === 'json' ? jsonLine : combinedLine;
    const server = await serveHouse(context.house, {
      host: input.string('host'),
      port: input.integer('port'),
      allowRemote: input.flag('allow-remote'),
      tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
      log: (event) => process.stderr.write(`${JSON.stringify({ time: context.house.now(), ...event })}\n`),
      accessLog: form === undefined ? undefined : (record) => process.stdout.write(`${line(record)}\n`),
      options: {
        publicUrl: input.string('public-url'),
        accelPrefix: input.string('accel-prefix'),
        accelRoot: input.string('accel-prefix') === undefined ? undefined : join(store.dir, 'objects'),
      },
    });
    context.say(`serving ${store.dir} on ${server.url} (stop with Ctrl-C)`);
    await stopped(context.signal);
    const clean = await server.close();
    return { data: { url: server.url, clean }, text: clean ? 'stopped' : 'stopped; some transfers were cut short' };
  },
};
