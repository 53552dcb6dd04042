/** diffoscope(1): what differs between two files or folders, in words. */
import { KubedosError } from '../errors.ts';
import { run } from './run.ts';

const TIMEOUT_MS = 5 * 60 * 1000;
const MAX_REPORT_BYTES = 200_000;
/** diffoscope(1): 1 for differences. */
const STATUSES = [0, 1];

/** Its text. Where it is not installed, takes too long or fails, the text says that: it explains, and decides nothing. */
export async function explainDifference(before: string, after: string, signal?: AbortSignal): Promise<string> {
  const limits = ['--max-text-report-size', String(MAX_REPORT_BYTES), '--max-diff-block-lines', '100'];
  const argv = ['diffoscope', '--no-progress', '--exclude-directory-metadata=recursive', ...limits, '--text', '-'];
  try {
    const { stdout } = await run([...argv, before, after], {
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: 4 * MAX_REPORT_BYTES,
      statuses: STATUSES,
      signal,
      debianPackage: 'diffoscope-minimal',
    });
    return stdout.toString('utf8').trimEnd();
  } catch (error) {
    if (!(error instanceof KubedosError) || error.code === 'cancelled') throw error;
    return `${error.message}${error.hint === undefined ? '' : `: ${error.hint}`}`;
  }
}
