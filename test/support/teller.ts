/**
 * What has a machine of a test say things on its second serial line: nobody else writes there. On the first one the kernel
 * and systemd may put a line between any two, and getty, when it starts, hangs it up.
 */

/** The unit of a command whose output goes there. */
export function tellerUnit(command: string, after: string): string {
  return `[Unit]
After=${after}
[Service]
Type=oneshot
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
ExecStart=${command}
[Install]
WantedBy=multi-user.target
`;
}

/** Fields of a recipe: `script` runs after all services have started. */
export function teller(script: string) {
  return {
    files: [
      {
        path: '/etc/systemd/system/tell.service',
        content: tellerUnit('/bin/sh /usr/local/bin/tell', 'multi-user.target'),
      },
      { path: '/usr/local/bin/tell', content: script },
    ],
    enable: ['tell.service'],
  };
}
