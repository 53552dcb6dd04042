/** A virtual machine without a network that boots a disk; what it says on its serial line. */
import { spawn } from 'node:child_process';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

export interface Disk {
  readonly file: string;
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vpc';
}

const OVMF = '/usr/share/OVMF';
/** Without hardware help: 20 to 40 s of a quiet machine to the login. */
const PATIENCE_MS = 240_000;

/**
 * Boots until the serial line shows what is waited for, and gives the whole log; what the machine writes is thrown away.
 * Rejects with the end of the log where it does not come.
 */
export function bootUntil(
  { file, format }: Disk,
  wanted: RegExp,
  of: { firmware: Firmware; folder: string },
): Promise<string> {
  return runUntil(wanted, {
    ...of,
    devices: ['-drive', `file=${file},format=${format},if=virtio,snapshot=on`, '-net', 'none', '-no-reboot'],
  });
}

export interface Machine {
  readonly firmware: Firmware;
  /** For its log and variables. */
  readonly folder: string;
  /** Options of QEMU: disks, networks, what to do at a reboot. */
  readonly devices: readonly string[];
  readonly patienceMs?: number;
}

/** Any machine, as `bootUntil`. What it writes to its disks stays. */
export async function runUntil(wanted: RegExp, machine: Machine): Promise<string> {
  const { firmware, folder, devices, patienceMs = PATIENCE_MS } = machine;
  const log = join(folder, `serial-${firmware}.log`);
  await rm(log, { force: true });
  const argv = [...(await firmwareArgv(firmware, folder)), '-m', '1024', '-display', 'none', '-serial', `file:${log}`];
  const child = spawn('qemu-system-x86_64', [...argv, ...devices], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    for (const start = Date.now(); Date.now() - start < patienceMs; await pause()) {
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

async function firmwareArgv(firmware: Firmware, folder: string): Promise<string[]> {
  if (firmware === 'bios') return ['-M', 'q35'];
  const secure = firmware === 'secure-boot';
  const variables = join(folder, `variables-${firmware}.fd`);
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
  ];
}
