import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface AptRun {
  readonly status: number;
  /** Both outputs. */
  readonly output: string;
  /** Lines that begin with `W:` or `E:`. */
  readonly complaints: readonly string[];
}

/** The real apt with a root, a cache and a configuration of its own; knows one sources file and nothing of this machine. */
export class AptClient {
  readonly dir: string;
  readonly #niceness: number;

  constructor(dir: string, niceness = 0) {
    this.dir = dir;
    this.#niceness = niceness;
  }

  /** `niceness`: of a crowd of clients, so that the server under test gets the processor when it wants it. */
  static async make({ niceness = 0 } = {}): Promise<AptClient> {
    const dir = await mkdtemp(join(tmpdir(), 'apt-client-'));
    for (const folder of ['lists/partial', 'archives/partial', 'parts', 'empty', 'downloads', 'log'])
      await mkdir(join(dir, folder), { recursive: true });
    await writeFile(join(dir, 'status'), '');
    const settings: Record<string, string> = {
      // APT_CONFIG is read first, so these keep the machine's own configuration out.
      'Dir::Etc::main': '/dev/null',
      'Dir::Etc::parts': join(dir, 'empty'),
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': join(dir, 'parts'),
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': join(dir, 'empty'),
      'Dir::Etc::trusted': '/dev/null',
      'Dir::Etc::trustedparts': join(dir, 'empty'),
      'Dir::State': dir,
      'Dir::State::lists': join(dir, 'lists'),
      'Dir::State::status': join(dir, 'status'),
      'Dir::Cache': dir,
      'Dir::Cache::archives': join(dir, 'archives'),
      'Dir::Log': join(dir, 'log'),
      'APT::Architecture': 'amd64',
      'APT::Architectures': 'amd64',
      'APT::Sandbox::User': 'root',
      'Acquire::http::Proxy': 'false',
      'Acquire::Languages': 'en',
      'Acquire::Retries': '0',
      'Debug::NoLocking': 'true',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
    await writeFile(join(dir, 'apt.conf'), lines.join(''));
    return new AptClient(dir, niceness);
  }

  /** Replaces what the client knows: the text of a `.sources` file. */
  async setSources(text: string): Promise<void> {
    await writeFile(join(this.dir, 'parts/test.sources'), text);
  }

  update(...options: readonly string[]): Promise<AptRun> {
    return this.run('apt-get', ['update', ...options]);
  }

  /** Names, or `name=version`. The files that came, by name. */
  async download(...packages: readonly string[]): Promise<AptRun & { readonly files: ReadonlyMap<string, Buffer> }> {
    const folder = join(this.dir, 'downloads');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    const done = await this.run('apt-get', ['download', ...packages]);
    const files = new Map<string, Buffer>();
    for (const name of (await readdir(folder)).sort()) files.set(name, await readFile(join(folder, name)));
    return { ...done, files };
  }

  /** `install --download-only`: resolves dependencies, too. Names of the files in the archive cache. */
  async installOnly(...packages: readonly string[]): Promise<AptRun & { readonly archives: readonly string[] }> {
    const done = await this.run('apt-get', ['install', '--yes', '--download-only', ...packages]);
    const archives = (await readdir(join(this.dir, 'archives'))).filter((name) => name.endsWith('.deb')).sort();
    return { ...done, archives };
  }

  /** The candidate of `apt-cache policy`; undefined if there is none. */
  async candidate(name: string): Promise<string | undefined> {
    const { output } = await this.run('apt-cache', ['policy', name]);
    const version = /^ {2}Candidate: (.+)$/m.exec(output)?.[1];
    return version === '(none)' ? undefined : version;
  }

  run(command: 'apt-get' | 'apt-cache', argv: readonly string[]): Promise<AptRun> {
    const env = {
      PATH: process.env.PATH ?? '',
      LC_ALL: 'C.UTF-8',
      HOME: this.dir,
      APT_CONFIG: join(this.dir, 'apt.conf'),
    };
    const options = { env, cwd: join(this.dir, 'downloads'), maxBuffer: 16 * 1024 * 1024 };
    return new Promise((resolve) => {
      execFile('nice', ['-n', String(this.#niceness), command, ...argv], options, (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`;
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ status, output, complaints: output.split('\n').filter((line) => /^[WE]:/.test(line)) });
      });
    });
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }
}
