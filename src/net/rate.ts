/** Shares one rate among all transfers. */
export interface RateLimit {
  /** Counts bytes that came in; how long to wait, in ms, before reading on. */
  take(bytes: number): number;
}

/** Unused allowance is kept for this long, so that short pauses are made good and long ones are not. */
const BURST_MS = 250;

/** A token bucket that may run into debt: bytes are counted after they came, and the debt is waited out. */
export function rateLimit(bytesPerSecond: number, nowMs: () => number = () => performance.now()): RateLimit {
  const perMs = bytesPerSecond / 1000;
  const full = perMs * BURST_MS;
  let allowance = full;
  let last = nowMs();
  return {
    take(bytes) {
      const now = nowMs();
      allowance = Math.min(full, allowance + (now - last) * perMs) - bytes;
      last = now;
      return allowance >= 0 ? 0 : Math.ceil(-allowance / perMs);
    },
  };
}
