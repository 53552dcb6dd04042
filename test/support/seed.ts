/** Numbers of tests that draw at random: printed, and the same again with KUBEDOS_TEST_SEED. */

/** Draws from [0, 1), evenly. */
export type Draw = () => number;

/** Prints the seed of this run, so that a failure can be had again. */
export function seededDraw(what: string): Draw {
  const seed = Number(process.env.KUBEDOS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`${what}: KUBEDOS_TEST_SEED=${seed}`);
  return drawFrom(seed);
}

/** mulberry32: one word of state is enough to spread some hundred draws. */
function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
