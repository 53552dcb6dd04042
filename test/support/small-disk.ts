/** A file system of its own that can be made full: tmpfs, which takes root to mount. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

export interface DiskUse {
  readonly bytes: number;
  /** Each file and each folder takes one. */
  readonly inodes: number;
}

const PLENTY: DiskUse = { bytes: 256 * 1024 * 1024, inodes: 100_000 };

export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Mounted on a new folder, with plenty of room. */
  static mount(folder: string): SmallDisk {
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', sizes(PLENTY), 'tmpfs', folder]);
    return new SmallDisk(folder);
  }

  async used(): Promise<DiskUse> {
    const { blocks, bfree, bsize, files, ffree } = await statfs(this.folder);
    return { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
  }

  /** From now on so much is free, and plenty of what is not said. */
  async leaveFree(free: Partial<DiskUse>): Promise<void> {
    const used = await this.used();
    const bytes = used.bytes + (free.bytes ?? PLENTY.bytes);
    const inodes = used.inodes + (free.inodes ?? PLENTY.inodes);
    execFileSync('mount', ['-o', `remount,${sizes({ bytes, inodes })}`, this.folder]);
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.folder]);
  }
}

function sizes({ bytes, inodes }: DiskUse): string {
  return `size=${Math.max(4096, bytes)},nr_inodes=${inodes}`;
}
