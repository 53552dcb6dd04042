import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientTls } from '../../src/cli/client-tls.ts';
import { createFetcher } from '../../src/net/fetcher.ts';
import type { ClientTls } from '../../src/net/types.ts';
import { parseYumSpec } from '../support/parse-spec.ts';

let dir: string;
let server: Server;
let url: string;
/** Common names of those who came. */
const seen: (string | undefined)[] = [];

const at = (name: string): string => join(dir, name);
const pem = (name: string): Buffer => readFileSync(at(name));

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubedos-tls-'));
  for (const [name, subject] of [
    ['host', '/CN=127.0.0.1'],
    ['client', '/CN=subscriber'],
  ] as const)
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...[
          '-subj',
          subject,
          '-addext',
          'subjectAltName=IP:127.0.0.1',
          '-keyout',
          at(`${name}.key`),
          '-out',
          at(`${name}.pem`),
        ],
      ],
      { stdio: 'ignore' },
    );
  chmodSync(at('client.key'), 0o600);
  const options = {
    key: pem('host.key'),
    cert: pem('host.pem'),
    ca: pem('client.pem'),
    requestCert: true,
    rejectUnauthorized: false,
  };
  server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    seen.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined);
    response.statusCode = socket.authorized ? 200 : 403;
    response.end('content');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function fetched(tls: readonly ClientTls[]) {
  const fetcher = createFetcher({ tls, tries: 1, env: {} });
  try {
    return await fetcher.document([url], 'repodata/repomd.xml', { maxBytes: 100 });
  } finally {
    await fetcher.close();
  }
}

test('a certificate goes to the host that it is for, which is held against its own authority', async () => {
  const own = { origin: url, certificate: pem('client.pem'), key: pem('client.key'), ca: pem('host.pem') };
  expect(await fetched([own])).toMatchObject({ status: 'ok' });
  expect(seen).toEqual(['subscriber']);
  await expect(fetched([{ ...own, ca: undefined }])).rejects.toMatchObject({ code: 'net.failed' });
  await expect(fetched([{ ...own, origin: 'https://elsewhere.example.org' }])).rejects.toMatchObject({
    code: 'net.failed',
  });
  expect(seen).toEqual(['subscriber']);
});

test('a spec names the files; a key that others may read is refused', async () => {
  const text = `name: rhel-9
type: yum
form: verbatim
upstreams:
  - url: ${url}/content
    client: { certificate: ${at('client.pem')}, key: ${at('client.key')}, ca: ${at('host.pem')} }
    keys: []
`;
  const found = { spec: parseYumSpec(text, 'rhel-9.yaml'), file: 'rhel-9.yaml', text };
  const tls = await clientTls(found);
  expect(tls.map(({ origin }) => origin)).toEqual([url]);
  expect(await fetched(tls)).toMatchObject({ status: 'ok' });
  chmodSync(at('client.key'), 0o644);
  await expect(clientTls(found)).rejects.toMatchObject({
    code: 'spec.invalid',
    message: expect.stringContaining('client.key'),
  });
  const gone = parseYumSpec(text.replaceAll('client.pem', 'gone.pem'), 'rhel-9.yaml');
  await expect(clientTls({ ...found, spec: gone })).rejects.toMatchObject({ code: 'spec.invalid' });
  expect(() => parseYumSpec(text.replace('url: https', 'url: http'), 'x')).toThrow(/needs a url: of https/);
});
