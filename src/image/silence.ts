/** The proof that a build used no network: the counters of its namespace when it ends. Pure. */
import { KubedosError } from '../errors.ts';

/** What the namespace of each script had at its end, or there is no image. It stands in the provenance. */
export const SILENCE = {
  namespace: 'own',
  interfaces: [{ name: 'lo', receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 }],
} as const;

/** `network`: proc_net(5): two lines of headings, then an interface a line: 8 counters of what it received, 8 of what it sent. */
export function checkSilence(network: string): void {
  const lines = network.trimEnd().split('\n').slice(2);
  const interfaces = lines.map((line) => {
    const [name, ...counters] = line.trim().split(/[\s:]+/);
    const [receivedBytes, receivedPackets, sentBytes, sentPackets] = [0, 1, 8, 9].map((at) => Number(counters[at]));
    return { name, receivedBytes, receivedPackets, sentBytes, sentPackets };
  });
  if (JSON.stringify(interfaces) === JSON.stringify(SILENCE.interfaces)) return;
  throw new KubedosError('internal.bug', `bake: something used the network, which had ${lines.join('; ')}`);
}
