/** The newest bundle on the media whose signature holds. What is in front of it is passed over, and named. */
import { KubedosError } from '../errors.ts';
import { type Chosen, chooseBundle } from './choose.ts';
import type { Media } from './medium.ts';
import { type FollowRoots, type SenderTrust, verifySender } from './sender-trust.ts';

export interface ChosenTrusted {
  readonly chosen: Chosen;
  readonly trust: SenderTrust;
  readonly passedOver: readonly string[];
}

export async function chooseTrusted(media: Media, followRoots: FollowRoots, id?: string): Promise<ChosenTrusted> {
  const first = chooseBundle(media, id);
  const others = id === undefined ? media.bundles.filter(({ bundle }) => bundle !== first.found.bundle) : [];
  const passedOver: string[] = [];
  let failure: unknown;
  for (const candidate of [first.found, ...others]) {
    try {
      const trust = await verifySender(candidate, followRoots);
      return { chosen: chooseBundle(media, candidate.bundle.id), trust, passedOver };
    } catch (error) {
      if (!(error instanceof KubedosError)) throw error;
      failure ??= error;
      passedOver.push(`bundle ${candidate.bundle.id} is passed over: ${error.message}`);
    }
  }
  throw failure;
}
