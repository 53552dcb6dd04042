import { KubedosError } from '../errors.ts';

export function throwIfCancelled(signal: AbortSignal | undefined, action: string): void {
  if (signal?.aborted === true) {
    throw new KubedosError('cancelled', `${action}: stopped`, { hint: 'run the same command again to go on' });
  }
}
