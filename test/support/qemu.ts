/** A virtual machine; what it says on its serial lines: on the second one tests have it tell things (teller.ts). */
import { spawn } from 'node:child_process';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

export interface Disk {
  readonly file: string;
  /** `iso`: in a CD drive. */
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vpc' | 'iso';
}

/** What a microVM starts: it has no firmware. */
export interface Kernel {
  readonly kernel: string;
  readonly initrd?: string;
  readonly cmdline: string;
}

/** Where a disk is, and what starts from it. */
export interface DiskMachine {
  readonly firmware: Firmware | Kernel;
  /** For the log, and variables of the firmware. */
  readonly folder: string;
  readonly patienceMs?: number | undefined;
  /** What the disk of a machine with firmware is attached to; default virtio. */
  readonly bus?: 'virtio' | 'nvme';
  /** As after QEMU's `-nic`; without it there is no network. */
  readonly nic?: string;
}

export interface Machine {
  readonly firmware: Firmware;
  readonly folder: string;
  /** Options of QEMU: disks, networks, what to do at a reboot. */
  readonly devices: readonly string[];
  readonly patienceMs?: number | undefined;
}

const OVMF = '/usr/share/OVMF';
/** Without hardware help: 20 to 40 s of a quiet machine to the login, and ten times that where others work beside it. */
const PATIENCE_MS = 600_000;

/**
 * Boots until a serial line shows what is waited for, and gives what both showed, the second one first; what the machine
 * writes to its disk is thrown away.
 * Rejects with the end of the log where it does not come.
 */
export function bootUntil(disk: Disk, wanted: RegExp, of: DiskMachine): Promise<string> {
  return bootAnd(disk, of, shows(wanted)).catch(neverShowed(wanted));
}

/** Boots, and asks again and again until there is an answer; `ask` is given the serial log. */
export async function bootAnd<T>(
  disk: Disk,
  of: DiskMachine,
  ask: (log: string) => Promise<T | undefined>,
): Promise<T> {
  const { firmware, folder, patienceMs } = of;
  const devices = diskDevices(disk, of);
  if (typeof firmware !== 'object') return runAnd({ firmware, folder, devices, patienceMs }, ask);
  const log = join(folder, 'serial-microvm.log');
  return watch(await microvm(firmware, disk.file, log), { logs: [log], ask, patienceMs });
}

/** Any machine, as `bootUntil`. What it writes to its disks stays. */
export function runUntil(wanted: RegExp, machine: Machine): Promise<string> {
  return runAnd(machine, shows(wanted)).catch(neverShowed(wanted));
}

const shows = (wanted: RegExp) => async (log: string) => (wanted.test(log) ? log : undefined);

const neverShowed = (wanted: RegExp) => (cause: Error) => {
  throw new Error(`the machine never showed ${wanted}: ${cause.message}`, { cause });
};

async function runAnd<T>(machine: Machine, ask: (log: string) => Promise<T | undefined>): Promise<T> {
  const { firmware, folder, devices, patienceMs } = machine;
  const serial = join(folder, `serial-${firmware}.log`);
  const told = join(folder, `told-${firmware}.log`);
  const common = ['-m', '1024', '-display', 'none', '-serial', `file:${serial}`, '-serial', `file:${told}`];
  const argv = [...(await firmwareArgv(firmware, folder)), ...common, ...devices];
  return watch(argv, { logs: [told, serial], ask, patienceMs });
}

interface Watched<T> {
  readonly logs: readonly string[];
  readonly ask: (log: string) => Promise<T | undefined>;
  readonly patienceMs?: number | undefined;
}

async function watch<T>(argv: readonly string[], { logs, ask, patienceMs = PATIENCE_MS }: Watched<T>): Promise<T> {
  await Promise.all(logs.map((log) => rm(log, { force: true })));
  const child = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const read = async (): Promise<string> =>
    (await Promise.all(logs.map((log) => readFile(log, 'latin1').catch(() => '')))).join('');
  try {
    for (const start = Date.now(); Date.now() - start < patienceMs; await pause()) {
      const answer = await ask(await read());
      if (answer !== undefined) return answer;
      if (child.exitCode !== null) break;
    }
    throw new Error(`it did not answer:\n${words}\n${(await read()).slice(-4000)}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

function diskDevices({ file, format }: Disk, { bus = 'virtio', nic }: DiskMachine): string[] {
  const place = bus === 'virtio' ? 'virtio' : 'none,id=disk';
  const drive = format === 'iso' ? 'format=raw,media=cdrom' : `format=${format},snapshot=on,if=${place}`;
  return [
    ...['-drive', `file=${file},${drive}`],
    ...(nic === undefined ? ['-net', 'none'] : ['-nic', nic]),
    ...(bus === 'nvme' ? ['-device', 'nvme,serial=disk,drive=disk'] : []),
    '-no-reboot',
  ];
}

async function firmwareArgv(firmware: Firmware, folder: string): Promise<string[]> {
  if (firmware === 'bios') return ['-M', 'q35'];
  const secure = firmware === 'secure-boot';
  const variables = join(folder, `variables-${firmware}.fd`);
  await copyFile(join(OVMF, secure ? 'OVMF_VARS_4M.ms.fd' : 'OVMF_VARS_4M.fd'), variables);
  const code = join(OVMF, secure ? 'OVMF_CODE_4M.ms.fd' : 'OVMF_CODE_4M.fd');
  return [
    ...['-M', `q35${secure ? ',smm=on' : ''}`],
    ...(secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${variables}`],
  ];
}

/** Devices by virtio-mmio, which ACPI tells of, as Firecracker has it. */
async function microvm({ kernel, initrd, cmdline }: Kernel, disk: string, log: string): Promise<string[]> {
  // KVM tells a guest how fast its clock is, and this machine has no timer to find out by; without KVM it is the host's.
  const clock = /^cpu MHz\s*: (\d+)/m.exec(await readFile('/proc/cpuinfo', 'latin1'))?.[1];
  return [
    ...['-M', 'microvm', '-nodefaults', '-no-user-config', '-m', '1024', '-display', 'none', '-no-reboot'],
    ...['-serial', `file:${log}`, '-kernel', kernel, ...(initrd === undefined ? [] : ['-initrd', initrd])],
    ...['-append', `${cmdline} tsc_early_khz=${clock}000`],
    ...['-drive', `file=${disk},format=raw,if=none,id=disk,snapshot=on`, '-device', 'virtio-blk-device,drive=disk'],
  ];
}
