/** Real apt tools for tests, as src/exec offers them to the program. */
import { spawn } from 'node:child_process';
import type { RunApt } from '../../src/darksite/types.ts';

export const runApt: RunApt = (tool, args, { configFile, signal }) =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C', APT_CONFIG: configFile };
    const child = spawn(tool, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
  });
