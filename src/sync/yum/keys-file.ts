/** The keys of a mirror's upstreams, as a file of the mirror (KEYS_FILE). */
import type { RepositoryState } from './repository-state.ts';

/** Each keyring once, one behind the other, as rpm and dnf read them. */
export function keysFile(states: readonly RepositoryState[]): Buffer {
  const keyrings = new Set(states.map(({ evidence }) => evidence.keyring.toString('latin1')));
  return Buffer.from([...keyrings].sort().join(''), 'latin1');
}
