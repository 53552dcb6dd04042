import { readFileSync } from 'node:fs';

/** A file of test/formats/golden (see make.sh there). */
export function golden(name: string): Buffer {
  return readFileSync(new URL(`golden/${name}`, import.meta.url));
}
