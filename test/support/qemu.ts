/** A virtual machine that boots a disk; what it says on its serial line. */
import { spawn } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

export interface Disk {
  readonly file: string;
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vpc';
}

const OVMF = '/usr/share/OVMF';
/** Without hardware help: 20 to 40 s of a quiet machine to the login, and ten times that where others work beside it. */
const PATIENCE_MS = 600_000;

export interface MachineOptions {
  readonly firmware: Firmware;
  readonly folder: string;
  /** As after QEMU's `-nic`; without it there is no network. */
  readonly nic?: string;
}

/**
 * Boots until the serial line shows what is waited for, and gives the whole log; what the machine writes is thrown away.
 * Rejects with the end of the log where it does not come.
 */
export function bootUntil(disk: Disk, wanted: RegExp, of: MachineOptions): Promise<string> {
  return bootAnd(disk, of, async (log) => (wanted.test(log) ? log : undefined)).catch((cause) => {
    throw new Error(`the machine never showed ${wanted}`, { cause });
  });
}

/** Boots, and asks again and again until there is an answer; `ask` is given the serial log. */
export async function bootAnd<T>(
  disk: Disk,
  of: MachineOptions,
  ask: (log: string) => Promise<T | undefined>,
): Promise<T> {
  const log = join(of.folder, `serial-${of.firmware}.log`);
  const child = spawn('qemu-system-x86_64', await argv(disk, of, log), { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const read = (): Promise<string> => readFile(log, 'latin1').catch(() => '');
  try {
    for (const start = Date.now(); Date.now() - start < PATIENCE_MS; await pause()) {
      const answer = await ask(await read());
      if (answer !== undefined) return answer;
      if (child.exitCode !== null) break;
    }
    throw new Error(`the machine did not answer:\n${words}\n${(await read()).slice(-4000)}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

async function argv({ file, format }: Disk, of: MachineOptions, log: string): Promise<string[]> {
  const drive = `file=${file},format=${format},if=virtio,snapshot=on`;
  const common = [
    '-m',
    '1024',
    '-display',
    'none',
    '-serial',
    `file:${log}`,
    '-drive',
    drive,
    ...(of.nic === undefined ? ['-net', 'none'] : ['-nic', of.nic]),
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
