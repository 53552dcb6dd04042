import type { ServerResponse } from 'node:http';
import type { Answer, Body, BodyPart, OpenObject } from './answer.ts';
import type { SendBuffers } from './send-buffers.ts';

/** The object ended before its size: nothing can be said any more but to break the connection. */
export class CutShort extends Error {}

type ObjectBody = Extract<Body, { kind: 'object' }>;

/**
 * Writes an answer to a socket. Resolves when all of it was handed over or the client went away; true if it is
 * complete. Rejects (`CutShort`, or what reading threw) after breaking the connection, so that nobody takes a part
 * for the whole.
 */
export async function sendAnswer(answer: Answer, response: ServerResponse, buffers: SendBuffers): Promise<boolean> {
  const { body } = answer;
  const bytes = body.kind === 'bytes' ? body.bytes : body.kind === 'none' ? undefined : onlyBytes(body);
  if (body.kind !== 'object' || bytes !== undefined) {
    sendBytes(answer, bytes, response);
    return true;
  }
  try {
    if (response.destroyed) return false;
    response.writeHead(answer.status, answer.headers as string[]);
    await sendObject(body, response, buffers);
    response.end();
    return true;
  } catch (error) {
    response.destroy();
    if (error instanceof ClientGone) return false;
    throw error;
  } finally {
    // Not waited for: what is read is read, and the caller's account is to be settled before the socket's.
    closeObject(body.object).catch(() => undefined);
  }
}

/** Head and body in one go; nothing is waited for. */
export function sendBytes(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  bytes: Uint8Array | string | undefined,
  response: ServerResponse,
): void {
  response.writeHead(status, headers as string[]);
  if (response.req.method === 'HEAD') response.end();
  else response.end(bytes);
}

/** The one piece of memory that makes up a body, where it does: the way of most requests, without any waiting. */
function onlyBytes({ object, parts }: ObjectBody): Uint8Array | undefined {
  const [part] = parts;
  if (object.kind !== 'bytes' || parts.length !== 1 || part === undefined) return undefined;
  return part instanceof Uint8Array ? part : slice(object.bytes, part);
}

export function slice(bytes: Uint8Array, { start, end }: { readonly start: number; readonly end: number }): Uint8Array {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

/** Closes what an answer holds open; for answers that are not sent as well. */
export async function closeObject(object: OpenObject): Promise<void> {
  if (object.kind === 'file') await object.handle.close();
}

async function sendObject({ object, parts }: ObjectBody, response: ServerResponse, pool: SendBuffers): Promise<void> {
  const writer = new Writer(response);
  if (object.kind === 'bytes') {
    for (const part of parts) await writer.write(part instanceof Uint8Array ? part : slice(object.bytes, part));
    return;
  }
  if (object.kind === 'stream') {
    for (const part of parts) {
      if (part instanceof Uint8Array) await writer.write(part);
      else for await (const chunk of await object.open(part)) await writer.write(chunk);
    }
    return;
  }
  const longest = Math.max(...parts.map((part) => (part instanceof Uint8Array ? 0 : part.end - part.start)));
  const buffers = pool.lend(longest);
  let clean = false;
  try {
    await sendFile(object, parts, { writer, buffers });
    clean = true;
  } finally {
    pool.giveBack(buffers, clean);
  }
}

/** Reads into one buffer while the other is on its way out. */
async function sendFile(
  { handle }: Extract<OpenObject, { kind: 'file' }>,
  parts: readonly BodyPart[],
  { writer, buffers }: { readonly writer: Writer; readonly buffers: readonly [Buffer, Buffer] },
): Promise<void> {
  let turn: 0 | 1 = 0;
  let leaving: Promise<void> = Promise.resolve();
  const next = async (bytes: Uint8Array): Promise<void> => {
    await leaving;
    leaving = writer.write(bytes);
    // Its failure is met at the next await; until then it must not count as unhandled.
    leaving.catch(() => undefined);
  };
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      await next(part);
      continue;
    }
    for (let at = part.start; at < part.end; ) {
      const buffer = buffers[turn];
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, part.end - at), at);
      if (bytesRead === 0) throw new CutShort(`it ends at byte ${at}, expected at least ${part.end}`);
      await next(buffer.subarray(0, bytesRead));
      at += bytesRead;
      turn = turn === 0 ? 1 : 0;
    }
  }
  await leaving;
}

class ClientGone extends Error {}

/** Writes one after another, each resolved when the bytes have left this process: then their buffer is free again. */
class Writer {
  readonly #response: ServerResponse;
  #fail: ((reason: ClientGone) => void) | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    // A pipelined answer whose connection breaks before its turn never calls back.
    response.once('close', () => this.#fail?.(new ClientGone()));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#response.destroyed) {
        reject(new ClientGone());
        return;
      }
      this.#fail = reject;
      this.#response.write(bytes, (error) => (error ? reject(new ClientGone()) : resolve()));
    });
  }
}
