import { checkSha256 } from './names.ts';
import type { Sha256 } from './types.ts';

/** Where objects lie: `objects/ab/<64 hex digits>`. */
export class ObjectPlaces {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The folder of a first byte. */
  folder(prefix: number): string {
    return `${this.root}/${prefix.toString(16).padStart(2, '0')}`;
  }

  folderOf(sha256: Sha256): string {
    return `${this.root}/${checkSha256(sha256).slice(0, 2)}`;
  }

  of(sha256: Sha256): string {
    return `${this.folderOf(sha256)}/${sha256}`;
  }
}
