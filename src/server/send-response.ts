import { Readable } from 'node:stream';
import type { Answer, Body } from './answer.ts';
import { CutShort, closeObject, slice } from './send-socket.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * An answer as a web Response, for requests that come without a socket (`app.request()`, another runtime). Slower than
 * `sendAnswer` by half: the listener uses that.
 */
export async function toResponse(answer: Answer, method: string): Promise<Response> {
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.headers.length; i += 2)
    headers.append(answer.headers[i] ?? '', answer.headers[i + 1] ?? '');
  const { body } = answer;
  const init = { status: answer.status, headers };
  if (method === 'HEAD' || body.kind === 'none') {
    if (body.kind === 'object') await closeObject(body.object);
    return new Response(null, init);
  }
  if (body.kind === 'bytes')
    return new Response(typeof body.bytes === 'string' ? body.bytes : new Uint8Array(body.bytes), init);
  const stream = Readable.from(chunks(body), { objectMode: false });
  // Also when it is cancelled before the first byte: the generator has not begun then, and no `finally` of it runs.
  stream.once('close', () => void closeObject(body.object).catch(() => undefined));
  return new Response(Readable.toWeb(stream) as ReadableStream, init);
}

async function* chunks({ object, parts }: Extract<Body, { kind: 'object' }>): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else if (object.kind === 'bytes') yield slice(object.bytes, part);
    else if (object.kind === 'stream') yield* await object.open(part);
    else {
      for (let at = part.start; at < part.end; ) {
        const wanted = Math.min(CHUNK_BYTES, part.end - at);
        const { buffer, bytesRead } = await object.handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
        if (bytesRead === 0) throw new CutShort(`it ends at byte ${at}, expected at least ${part.end}`);
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    }
  }
}
