// What tests start as processes is what the package ships: it starts in a third of the time that the sources take.
import { buildIfStale } from '../../src/build.mjs';

export const setup = () => buildIfStale();
