import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Answer } from './answer.ts';
import { type Receive, redirectOf, type Sink } from './exchange.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';
import type { StallWatch, Watched } from './stall.ts';

const CONNECT_TIMEOUT_MS = 15_000;
const IDLE_MS = 4_000;
const MAX_HEAD_BYTES = 64 * 1024;
/** A body that does not matter and is larger is not worth reading. */
const MAX_DRAIN_BYTES = 64 * 1024;

/** A request on its way. Settled once; later calls do nothing. */
export interface LaneJob {
  /** The request as it goes over the wire. */
  readonly wire: string;
  readonly receive: Receive;
  settled: boolean;
  /** Was sent once over a connection that ended before it was answered. */
  resent: boolean;
  done(answer: Answer): void;
  fail(error: unknown): void;
  /** To be asked for in the general way: this lane could not tell. */
  elsewhere(): void;
}

/**
 * `whole`: can be used again. `used`: it closed in good order, or we closed it. `lost`: it broke. `strange`: it stalled,
 * or answered in a form that is not understood here.
 */
export type TurnEnd = 'whole' | 'used' | 'lost' | 'strange';

interface Turn {
  /** The next job, or none if this turn is over or another connection should have it. */
  readonly take: (underWay: number) => LaneJob | undefined;
  /** Takes a job back that was sent but not answered. */
  readonly giveBack: (job: LaneJob) => void;
  readonly end: (how: TurnEnd) => void;
}

/** One keep-alive connection that sends a few requests ahead (RFC 9112 §9.3.2) and takes answers in their order. */
export class LaneConnection implements Watched {
  readonly #socket: Socket;
  readonly #stalls: StallWatch;
  #unwatch: () => void = () => {};
  #turn: Turn | undefined;
  #underWay: LaneJob[] = [];
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #head: ResponseHead | undefined;
  #sink: Sink | undefined;
  #closed = false;
  #bytesBefore = 0;
  bytes = 0;
  readonly paused = false;

  private constructor(socket: Socket, stalls: StallWatch) {
    this.#socket = socket;
    this.#stalls = stalls;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    for (const event of ['error', 'close', 'timeout']) socket.on(event, () => this.close('lost'));
  }

  /** Rejects with whatever went wrong. */
  static open(origin: string, stalls: StallWatch): Promise<LaneConnection> {
    const { protocol, hostname, port } = new URL(origin);
    const host = hostname.replace(/^\[|\]$/g, '');
    const secure = protocol === 'https:';
    const target = { host, port: Number(port || (secure ? 443 : 80)) };
    return new Promise((resolve, reject) => {
      const socket = secure
        ? connectTls({ ...target, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) })
        : connectTcp(target);
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('timed out')));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.removeAllListeners('timeout');
        socket.setTimeout(0);
        resolve(new LaneConnection(socket, stalls));
      });
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Works through what `turn` gives until that gives no more. */
  run(turn: Turn): void {
    this.#turn = turn;
    this.#bytesBefore = this.bytes;
    this.#socket.setTimeout(0);
    this.#unwatch = this.#stalls.watch(this);
    this.#fill();
  }

  /** For the stall watch: what did not come is asked for in the general way, which has its own patience and words. */
  fail(): void {
    this.close('strange');
  }

  close(how: Exclude<TurnEnd, 'whole'>): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#endTurn(how);
  }

  #fill(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    let wire = '';
    for (let job = turn.take(this.#underWay.length); job !== undefined; job = turn.take(this.#underWay.length)) {
      this.#underWay.push(job);
      wire += job.wire;
    }
    if (wire !== '') this.#socket.write(wire, 'latin1');
    else if (this.#underWay.length === 0) this.#endTurn('whole');
  }

  #endTurn(how: TurnEnd): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#unwatch();
    if (how === 'whole') this.#socket.setTimeout(IDLE_MS);
    const unanswered = this.#underWay.splice(0).filter((job) => !job.settled);
    // The first may be what broke it, unless nothing at all came: then the server had closed it while it was idle.
    if (how === 'lost' && this.bytes > this.#bytesBefore) unanswered.shift()?.elsewhere();
    for (const job of unanswered.reverse()) {
      if (how === 'strange') job.elsewhere();
      else turn.giveBack(job);
    }
    turn.end(how);
  }

  #onData(chunk: Buffer): void {
    if (this.#closed) return;
    this.bytes += chunk.length;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    while (!this.#closed && this.#pendingBytes > 0) {
      if (this.#head === undefined && !this.#readHead()) return;
      if (this.#head !== undefined && !this.#readBody(this.#head)) return;
    }
  }

  /** True if there is a head now. */
  #readHead(): boolean {
    const [job] = this.#underWay;
    const bytes = this.#gather();
    const end = bytes.indexOf('\r\n\r\n');
    if (job === undefined || (end === -1 && bytes.length > MAX_HEAD_BYTES)) {
      this.close('strange');
      return false;
    }
    if (end === -1) return false;
    const head = parseResponseHead(bytes.subarray(0, end).toString('latin1'));
    this.#drop(end + 4);
    // Of an answer that is not the file, the body does not matter, however it is framed.
    const isFile = head !== undefined && head.answer.status >= 200 && head.answer.status < 300;
    if (head === undefined || head.answer.status === 101 || (isFile && head.bodyBytes === undefined)) {
      this.close('strange');
      return false;
    }
    this.#head = head;
    if (head.answer.status < 200) return true;
    try {
      this.#sink = redirectOf(head.answer) === undefined && !job.settled ? job.receive(head.answer) : undefined;
    } catch (error) {
      job.fail(error);
    }
    if (this.#sink !== undefined || (head.bodyBytes ?? Number.POSITIVE_INFINITY) <= MAX_DRAIN_BYTES) return true;
    job.done(head.answer);
    this.close('used');
    return false;
  }

  /** True if the answer is complete, and what follows is another. */
  #readBody({ answer, bodyBytes = 0, keepAlive }: ResponseHead): boolean {
    if (this.#pendingBytes < bodyBytes) return false;
    const body = this.#gather().subarray(0, bodyBytes);
    this.#drop(bodyBytes);
    this.#head = undefined;
    if (answer.status < 200) return true;
    const job = this.#underWay.shift();
    const sink = this.#sink;
    this.#sink = undefined;
    if (job !== undefined && !job.settled) deliver(job, answer, sink, body);
    if (!keepAlive) this.close('used');
    else this.#fill();
    return !this.#closed;
  }

  #gather(): Buffer {
    const [only] = this.#pending;
    if (this.#pending.length === 1 && only !== undefined) return only;
    const whole = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [whole];
    return whole;
  }

  #drop(count: number): void {
    const rest = this.#gather().subarray(count);
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#pendingBytes = rest.length;
  }
}

function deliver(job: LaneJob, answer: Answer, sink: Sink | undefined, body: Buffer): void {
  try {
    const work = body.length === 0 ? undefined : sink?.(body);
    if (work === undefined) job.done(answer);
    else
      work.then(
        () => job.done(answer),
        (error: unknown) => job.fail(error),
      );
  } catch (error) {
    job.fail(error);
  }
}
