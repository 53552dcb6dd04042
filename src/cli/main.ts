#!/usr/bin/env -S node --max-semi-space-size=8
/**
 * The command line: parses, makes one call, renders. The only place that touches the exit status. Half of V8's room for
 * young objects (MB) is as fast and saves 30 MB at the peak of a sync.
 */
import { KubedosError } from '../errors.ts';
import type { CommandSpec, Context, Input } from './command.ts';
import { dataFolder } from './data-folder.ts';
import { buildProgram } from './program.ts';
import { renderError } from './render/errors.ts';
import { createProgress, type ProgressSink } from './render/progress.ts';
import { askSecret } from './secret.ts';
import { version } from './version.ts';

/** Aborts on the first Ctrl-C or SIGTERM, so that work ends cleanly; the second one ends the process at once. */
function abortOnSignals(): AbortController {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(
      new KubedosError('cancelled', 'stopped; nothing is lost', { hint: 'run the same command again to go on' }),
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller;
}

function progressFor(json: boolean, quiet: boolean): ProgressSink {
  const terminal = process.stderr.isTTY === true;
  return createProgress({
    mode: quiet ? 'none' : json ? 'json' : terminal ? 'bar' : 'lines',
    write: (text) => process.stderr.write(text),
    columns: () => process.stderr.columns ?? 80,
    nowMs: () => Date.now(),
  });
}

async function invoke(spec: CommandSpec, input: Input, globals: Readonly<Record<string, unknown>>): Promise<void> {
  const json = globals.json === true;
  const debug = globals.debug === true;
  const controller = abortOnSignals();
  const progress = progressFor(json, globals.quiet === true);
  const { openHouse } = await import('../wiring.ts');
  const house = openHouse(dataFolder(typeof globals.data === 'string' ? globals.data : undefined, process.env), {
    onEvent: progress.onEvent,
  });
  const context: Context = {
    house,
    json,
    signal: controller.signal,
    onEvent: progress.onEvent,
    say: (line) => {
      progress.finish();
      if (!json) process.stdout.write(`${line}\n`);
    },
    askSecret,
  };
  const fail = (thrown: unknown): void => {
    progress.finish();
    // What was thrown while stopping is a consequence of the stop.
    const error = controller.signal.aborted ? controller.signal.reason : thrown;
    const rendered = renderError(error, debug);
    process.stderr.write(json ? `${JSON.stringify(rendered.data)}\n` : `${rendered.text}\n`);
    process.exitCode = rendered.exit;
  };
  let failed = false;
  try {
    const outcome = await spec.run(context, input);
    progress.finish();
    process.stdout.write(
      json ? `${JSON.stringify(outcome.data, null, 2)}\n` : outcome.text === '' ? '' : `${outcome.text}\n`,
    );
    process.exitCode = outcome.exit ?? 0;
  } catch (thrown) {
    failed = true;
    fail(thrown);
  }
  // After a failure, one at closing (the disk is still full) says nothing new.
  await house.close().catch((thrown: unknown) => {
    if (!failed) fail(thrown);
  });
}

// A reader that went away (`kubedos … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { COMMANDS } = await import('./commands.ts');
const program = buildProgram(COMMANDS, version(), invoke);
program.exitOverride();
try {
  await program.parseAsync();
} catch (error) {
  // commander has printed its message; its exit code is 1 for usage errors, 0 for help and version.
  const code = typeof error === 'object' && error !== null && 'exitCode' in error ? Number(error.exitCode) : 1;
  process.exitCode = code === 0 ? 0 : 2;
  if (!(typeof error === 'object' && error !== null && 'exitCode' in error)) throw error;
}
