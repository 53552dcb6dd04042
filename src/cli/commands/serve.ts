import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import type { AccessRecord, ServerDeps } from '../../server/deps.ts';
import type { CommandSpec, Context, Input, Outcome } from '../command.ts';
import { DEFAULT_PORT, type Serving, serveHouse, stopped } from '../serving.ts';

export const serveCommand: CommandSpec = {
  path: 'serve',
  summary: 'serve channels and snapshots over HTTP, and take uploads for local repositories',
  description:
    'Runs until it is told to stop by SIGINT or SIGTERM, and finishes what it sends. Listens on loopback alone unless --allow-remote is given.',
  options: [
    { flags: '--host <address>', summary: 'address to listen on', default: '127.0.0.1' },
    { flags: '--port <number>', summary: 'port to listen on', default: String(DEFAULT_PORT) },
    { flags: '--allow-remote', summary: 'allow an address beyond loopback' },
    { flags: '--public-url <url>', summary: 'what clients call this server, where a proxy stands in front' },
    { flags: '--trust-proxy', summary: 'a proxy on this machine names clients by X-Forwarded-For, for the access log' },
    { flags: '--tls-cert <file>', summary: 'certificate chain, PEM' },
    { flags: '--tls-key <file>', summary: 'its private key, PEM' },
    { flags: '--accel-prefix <path>', summary: 'let nginx in front send large files by X-Accel-Redirect' },
    { flags: '--access-log <form>', summary: 'json or combined, on standard output' },
    {
      flags: '--workers <count>',
      summary: 'so many processes on the one port, for machines with as many cores',
      default: '1',
    },
  ],
  examples: [
    'kubedos serve',
    'kubedos serve --host 0.0.0.0 --allow-remote --port 80 --workers 4',
    'kubedos serve --tls-cert chain.pem --tls-key key.pem --access-log combined',
  ],
  run: async (context, input) => {
    const store = await context.house.store();
    const { isWorker } = await import('../../server/cluster.ts');
    const serving = await servingOf(context, input, store.dir);
    const count = input.integer('workers', 1) ?? 1;
    if (isWorker()) return serveAsWorker(context, serving);
    return count > 1 ? serveByWorkers(context, serving, count) : serveAlone(context, serving);
  },
};

interface LoggedServing extends Serving {
  readonly log: ServerDeps['log'];
  /** A line of the access log; undefined where none is wanted. */
  readonly line: ((record: AccessRecord) => string) | undefined;
}

async function servingOf({ house }: Context, input: Input, storeDir: string): Promise<LoggedServing> {
  const [certFile, keyFile] = [input.string('tls-cert'), input.string('tls-key')];
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new KubedosError('usage.argument', 'serve: --tls-cert and --tls-key go together');
  }
  const accelPrefix = input.string('accel-prefix');
  return {
    host: input.string('host'),
    port: input.integer('port'),
    allowRemote: input.flag('allow-remote'),
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    log: (event) => process.stderr.write(`${JSON.stringify({ time: house.now(), ...event })}\n`),
    line: await lineOf(input.string('access-log')),
    options: {
      publicUrl: input.string('public-url'),
      trustProxy: input.flag('trust-proxy'),
      accelPrefix,
      accelRoot: accelPrefix === undefined ? undefined : join(storeDir, 'objects'),
    },
  };
}

async function lineOf(form: string | undefined): Promise<LoggedServing['line']> {
  if (form === undefined) return undefined;
  const { combinedLine, jsonLine } = await import('../../server/access-log.ts');
  if (form === 'json') return jsonLine;
  if (form === 'combined') return combinedLine;
  throw new KubedosError('usage.argument', `--access-log ${form}: expected json or combined`);
}

async function serveAlone(context: Context, serving: LoggedServing): Promise<Outcome> {
  const { server, close } = await start(context, serving, writeOut);
  context.say(`serving ${context.house.dataDir} on ${server.url} (stop with Ctrl-C)`);
  await stopped(context.signal);
  return outcome(server.url, await close());
}

async function serveByWorkers(
  { house, say, signal }: Context,
  { log }: LoggedServing,
  count: number,
): Promise<Outcome> {
  const { startWorkers } = await import('../../server/cluster.ts');
  const [exec = '', ...args] = process.argv.slice(1);
  // What a worker returns is nothing to print.
  const own = args.filter((word) => word !== '--json');
  const workers = await startWorkers({ count, exec, args: own, log, onLines: writeOut });
  say(`serving ${house.dataDir} on ${workers.url} (stop with Ctrl-C), ${count} processes`);
  await stopped(signal);
  return outcome(workers.url, await workers.close());
}

/** The same command line, started by `serveByWorkers`; speaks through it. */
async function serveAsWorker(context: Context, serving: LoggedServing): Promise<Outcome> {
  const { sendLines, workerDone, workerFailed, workerReady } = await import('../../server/cluster.ts');
  try {
    const { server, close } = await start(context, serving, sendLines);
    await Promise.race([stopped(context.signal), workerReady(server.url)]);
    return { data: null, text: '', exit: (await close()) ? 0 : 1 };
  } catch (error) {
    if (!(error instanceof KubedosError)) throw error;
    workerFailed(error);
    return { data: null, text: '', exit: 1 };
  } finally {
    workerDone();
  }
}

async function start({ house }: Context, serving: LoggedServing, write: (text: string) => void) {
  const { LineBuffer } = await import('../../server/access-log.ts');
  const { line } = serving;
  const lines = new LineBuffer(write);
  const server = await serveHouse(house, {
    ...serving,
    accessLog: line && ((record) => lines.add(line(record))),
  });
  const close = async (): Promise<boolean> => {
    const clean = await server.close();
    lines.flush();
    return clean;
  };
  return { server, close };
}

function writeOut(text: string): void {
  process.stdout.write(text);
}

function outcome(url: string, clean: boolean): Outcome {
  return { data: { url, clean }, text: clean ? 'stopped' : 'stopped; some transfers were cut short' };
}
