/** A virtual machine without a network that boots a disk; what it says on its serial line. */
import { spawn } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

export interface Disk {
  readonly file: string;
  /** `iso`: in a CD drive. */
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vpc' | 'iso';
}

const OVMF = '/usr/share/OVMF';
/** Without hardware help: 20 to 40 s of a quiet machine to the login. */
const PATIENCE_MS = 240_000;

/**
 * Boots until the serial line shows what is waited for, and gives the whole log; what the machine writes is thrown away.
 * Rejects with the end of the log where it does not come.
 */
export async function bootUntil(
  disk: Disk,
  wanted: RegExp,
  of: { firmware: Firmware; folder: string; patienceMs?: number },
): Promise<string> {
  const log = join(of.folder, `serial-${of.firmware}.log`);
  const child = spawn('qemu-system-x86_64', await argv(disk, of, log), { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    for (const start = Date.now(); Date.now() - start < (of.patienceMs ?? PATIENCE_MS); await pause()) {
      const text = await readFile(log, 'latin1').catch(() => '');
      if (wanted.test(text)) return text;
      if (child.exitCode !== null) break;
    }
    const text = await readFile(log, 'latin1').catch(() => '');
    throw new Error(`the machine never showed ${wanted}:\n${words}\n${text.slice(-4000)}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

async function argv(
  { file, format }: Disk,
  of: { firmware: Firmware; folder: string },
  log: string,
): Promise<string[]> {
  const drive =
    format === 'iso' ? `file=${file},format=raw,media=cdrom` : `file=${file},format=${format},if=virtio,snapshot=on`;
  const common = [
    '-m',
    '1024',
    '-display',
    'none',
    '-serial',
    `file:${log}`,
    '-drive',
    drive,
    '-net',
    'none',
    '-no-reboot',
  ];
  if (of.firmware === 'bios') return ['-M', 'q35', ...common];
  const secure = of.firmware === 'secure-boot';
  const variables = join(of.folder, `variables-${of.firmware}.fd`);
  await copyFile(join(OVMF, secure ? 'OVMF_VARS_4M.ms.fd' : 'OVMF_VARS_4M.fd'), variables);
  const code = join(OVMF, secure ? 'OVMF_CODE_4M.ms.fd' : 'OVMF_CODE_4M.fd');
  return [
    '-M',
    `q35${secure ? ',smm=on' : ''}`,
    ...(secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    '-drive',
    `if=pflash,format=raw,unit=0,readonly=on,file=${code}`,
    '-drive',
    `if=pflash,format=raw,unit=1,file=${variables}`,
    ...common,
  ];
}
