/** The command line over one data folder, in this process: real parsing and real commands without a second's start each. */
import type { Outcome } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { serveHouse } from '../../src/cli/serving.ts';
import type { Listening } from '../../src/server/listen.ts';
import { type House, openHouse } from '../../src/wiring.ts';

export class InProcess {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Words as the shell gives them; throws what main.ts would print. */
  async run(...argv: readonly string[]): Promise<Outcome> {
    let outcome: Outcome | undefined;
    const program = buildProgram(COMMANDS, '0', async (spec, input) => {
      const house = openHouse(this.dir);
      const signal = new AbortController().signal;
      const context = { house, json: false, signal, say: () => undefined, askSecret: async () => undefined };
      try {
        outcome = await spec.run(context, input);
      } finally {
        await house.close();
      }
    });
    await program.exitOverride().parseAsync([...argv], { from: 'user' });
    if (outcome === undefined) throw new Error(`kubedos ${argv.join(' ')}: nothing was run`);
    return outcome;
  }

  /** What a person reads of it. */
  async text(...argv: readonly string[]): Promise<string> {
    return (await this.run(...argv)).text;
  }

  /** `serve` on a free port. */
  async serve(): Promise<{ readonly url: string; close(): Promise<void> }> {
    const house: House = openHouse(this.dir);
    const server: Listening = await serveHouse(house, { port: 0, drainMs: 2000 });
    return {
      url: server.url,
      close: async () => {
        await server.close();
        await house.close();
      },
    };
  }
}
