import { setTimeout as sleep } from 'node:timers/promises';
import { KubedosError } from '../errors.ts';

/** Throws `cancelled` once the user has stopped the work; `action` says which. */
export function throwIfStopped(signal: AbortSignal | undefined, action: string): void {
  if (!signal?.aborted) return;
  throw new KubedosError('cancelled', `${action}: stopped`, {
    hint: 'run the same command again',
    cause: signal.reason,
  });
}

/** Rests, and throws `cancelled` as soon as the work is stopped. */
export async function nap(ms: number, signal: AbortSignal | undefined, action: string): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throwIfStopped(signal, action);
    throw error;
  }
}
