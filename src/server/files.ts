import { KubedosError } from '../errors.ts';
import type { SnapshotMirror } from '../store/types.ts';
import { type Answer, htmlAnswer, textAnswer } from './answer.ts';
import { parseHttpDate, type SameAsOf } from './conditional.ts';
import type { ServerDeps } from './deps.ts';
import { FileAnswers, type FileRequest, type FoundFile } from './file-answer.ts';
import { listingPage, placesPage } from './listing.ts';
import { ObjectReader } from './object-reader.ts';
import { isUnconditional, type ReadyAnswer, ReadyAnswers } from './ready-answers.ts';
import { encodePath, type FileTarget, parseFileTarget, targetPath } from './request-path.ts';
import { CACHE_ASK_FIRST, CACHE_FOR_EVER, channelCacheControl, outlivesMove } from './stable-path.ts';
import { type ChannelView, type SnapshotView, Views } from './views.ts';

/** Entries of one page of a directory listing. */
const LISTING_PAGE = 1000;

/** The state that a request is answered from, resolved once. */
interface Place {
  readonly target: FileTarget;
  readonly view: SnapshotView;
  readonly mirror: SnapshotMirror;
  /** For `/c/` alone. */
  readonly channel: ChannelView | undefined;
}

/**
 * All below `/c/` and `/s/`, decided in this one place; two thin adapters send what it answers. Never throws: what goes
 * wrong is an answer and a line in the log.
 */
export class FileRoutes {
  readonly reader: ObjectReader;
  readonly files: FileAnswers;
  readonly views: Views;
  readonly #deps: ServerDeps;
  readonly #ready: ReadyAnswers;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    this.reader = new ObjectReader(deps);
    this.files = new FileAnswers(deps, this.reader);
    this.views = new Views(deps);
    this.#ready = new ReadyAnswers(this.views, this.reader);
  }

  /**
   * The answer, where it was given before and nothing has changed since: see `ReadyAnswers`. Undefined: `answer` decides.
   * Errors are left to it as well.
   */
  answerAtOnce(method: string, target: string, rawHeaders: readonly string[]): ReadyAnswer | undefined {
    if (method !== 'GET' || !isUnconditional(rawHeaders)) return undefined;
    try {
      return this.#ready.get(target);
    } catch {
      return undefined;
    }
  }

  /** Undefined: the path is not below `/c/` or `/s/`. */
  async answer(request: FileRequest): Promise<Answer | undefined> {
    try {
      const target = parseFileTarget(targetPath(request.target));
      if (target === undefined) return undefined;
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return textAnswer(405, 'only GET and HEAD work here\n', ['Allow', 'GET, HEAD']);
      return await this.#route(request, target);
    } catch (error) {
      return this.#failure(request, error);
    }
  }

  async #route(request: FileRequest, target: FileTarget): Promise<Answer> {
    if (target.reference === '') return slashed(request, target) ?? this.#top(target);
    const channel = target.area === 'c' ? await this.views.channel(target.reference) : undefined;
    const view = target.area === 'c' ? channel?.current : await this.views.snapshot(target.reference);
    if (view === undefined) return target.area === 's' ? this.#bySnapshotName(target) : missing(target);
    if (target.mirror === '') return slashed(request, target) ?? mirrorsPage(target, view);
    const mirror = view.mirrors.get(target.mirror);
    if (mirror === undefined) return missing(target);

    const place: Place = { target, view, mirror, channel };
    if (!target.directory && target.path !== '') {
      const found = (await this.#find(place)) ?? (await this.#findEarlier(place));
      if (found !== undefined) {
        const answer = await this.files.answer(request, found);
        if (isPlain(request)) this.#ready.keep(request.target, target, channel ?? view, answer);
        return answer;
      }
    }
    return this.#directory(request, place);
  }

  async #find({ target, view, mirror, channel }: Place): Promise<FoundFile | undefined> {
    const entry = await this.#deps.manifests.lookup(mirror.manifest.root, target.path);
    if (entry === undefined) return undefined;
    return {
      entry,
      lastModified: view.lastModified,
      cacheControl: channel === undefined ? CACHE_FOR_EVER : channelCacheControl(entry.path),
      sameAsOf:
        channel === undefined ? (date) => date === view.lastModified : this.#sameAsOf(target, channel, entry.sha256),
      stillListed: async () => (await this.views.recheck(view.snapshot.id)) !== undefined,
    };
  }

  /** What a client asks for that took its InRelease before the channel moved. */
  async #findEarlier({ target, mirror, channel }: Place): Promise<FoundFile | undefined> {
    if (channel === undefined || !outlivesMove(target.path)) return undefined;
    const searched = new Set([mirror.manifest.root]);
    for (const view of await this.views.earlier(channel)) {
      const before = view.mirrors.get(target.mirror);
      if (before === undefined || searched.has(before.manifest.root)) continue;
      searched.add(before.manifest.root);
      const found = await this.#find({ target, view, mirror: before, channel });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * A date names states of the channel: the present one and those before. The client's copy is what we would send if
   * some state is of that date and all states of that date (times are whole seconds) have these same bytes.
   */
  #sameAsOf(target: FileTarget, channel: ChannelView, sha256: string): SameAsOf {
    return async (date) => {
      const time = parseHttpDate(date);
      if (time === undefined) return false;
      const states = [channel.current, ...(await this.views.earlier(channel))];
      const dated = states.filter(({ snapshot }) => Date.parse(snapshot.document.time) === time);
      for (const state of dated) {
        const root = state.mirrors.get(target.mirror)?.manifest.root;
        const entry = root && (await this.#deps.manifests.lookup(root, target.path));
        if (!entry || entry.sha256 !== sha256) return false;
      }
      return dated.length > 0;
    };
  }

  async #directory(request: FileRequest, { target, mirror, channel }: Place): Promise<Answer> {
    const query = new URLSearchParams(request.target.split('?', 2)[1] ?? '');
    const after = query.get('after') ?? undefined;
    const listed = await this.#deps.manifests.listDirectory(mirror.manifest.root, target.path, {
      limit: LISTING_PAGE + 1,
      after,
    });
    if (listed.length === 0 && target.path !== '' && after === undefined) return missing(target);
    const redirect = slashed(request, target);
    if (redirect !== undefined) return redirect;
    return htmlAnswer(
      200,
      await listingPage({ target, listed, after, limit: LISTING_PAGE, moving: channel !== undefined }),
    );
  }

  /** `/s/TAG/…` and `/s/12/…` lead to the whole id, under which caches may keep everything. */
  async #bySnapshotName(target: FileTarget): Promise<Answer> {
    let id: string;
    try {
      id = (await this.#deps.store.snapshots.resolve(target.reference)).id;
    } catch (error) {
      if (error instanceof KubedosError && error.kind === 'missing') return missing(target);
      throw error;
    }
    const rest = [id, target.mirror, target.path].filter((part) => part !== '').join('/');
    const location = `/s/${encodePath(rest)}${target.directory ? '/' : ''}`;
    return textAnswer(302, `${location}\n`, ['Location', location, 'Cache-Control', CACHE_ASK_FIRST]);
  }

  async #top({ area }: FileTarget): Promise<Answer> {
    if (area === 'c') {
      const channels = await this.#deps.store.channels.list();
      return htmlAnswer(
        200,
        await placesPage(
          'Channels',
          channels.map(({ name }) => name),
        ),
      );
    }
    return htmlAnswer(200, await placesPage('Snapshots', (await this.#deps.store.snapshots.list()).toReversed()));
  }

  #failure({ method, target }: FileRequest, error: unknown): Answer {
    // Whatever else is missing or refused here (a manifest, its chunk) is damage, and not the client's doing.
    if (error instanceof KubedosError && error.code === 'server.request') return textAnswer(400, `${error.message}\n`);
    const message = error instanceof Error ? error.message : String(error);
    const place = JSON.stringify(targetPath(target).slice(0, 200));
    this.#deps.log({
      level: 'error',
      message: `answer ${method} ${place}: ${message}`,
    });
    return textAnswer(500, 'the server cannot answer this; its operator finds the reason in the log\n');
  }
}

/** Without conditions: what `answerAtOnce` may be asked the next time. */
function isPlain({ method, headers }: FileRequest): boolean {
  const {
    range,
    'if-match': match,
    'if-none-match': noneMatch,
    'if-modified-since': since,
    'if-range': ifRange,
  } = headers;
  return method === 'GET' && (range ?? match ?? noneMatch ?? since ?? ifRange) === undefined;
}

function missing(target: FileTarget): Answer {
  const what = [target.reference, target.mirror, target.path].filter((part) => part !== '').join('/');
  const place = target.area === 'c' ? 'channel' : 'snapshot';
  return textAnswer(404, `no such file in this ${place}: ${what}\n`, ['Cache-Control', 'no-cache']);
}

/** A folder's links are relative: its URL must end in a slash. */
function slashed(request: FileRequest, target: FileTarget): Answer | undefined {
  if (target.directory) return undefined;
  const location = `${targetPath(request.target)}/`;
  return textAnswer(301, `${location}\n`, ['Location', location, 'Cache-Control', CACHE_ASK_FIRST]);
}

async function mirrorsPage(target: FileTarget, view: SnapshotView): Promise<Answer> {
  const title = `${target.area === 'c' ? 'Channel' : 'Snapshot'} ${target.reference}`;
  return htmlAnswer(200, await placesPage(title, [...view.mirrors.keys()]));
}
