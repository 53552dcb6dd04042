/** What has a machine of a test say things on its serial line, once it is up. */

/** No login on the serial line: getty hangs the line up when it starts, and what others say there from then on is lost. */
export const NO_SERIAL_LOGIN = { path: '/etc/systemd/system/serial-getty@ttyS0.service', link: '/dev/null' };

/** The unit of a command whose output goes to the serial line, beside `NO_SERIAL_LOGIN`. */
export function tellerUnit(command: string, after: string): string {
  return `[Unit]
After=${after}
[Service]
Type=oneshot
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStart=${command}
[Install]
WantedBy=multi-user.target
`;
}

/** What systemd says of these goes to the same line. */
const LAST = 'multi-user.target systemd-update-utmp-runlevel.service';

/** Fields of a recipe: `script` runs after all services have started. */
export function teller(script: string) {
  return {
    files: [
      NO_SERIAL_LOGIN,
      {
        path: '/etc/systemd/system/tell.service',
        content: tellerUnit('/bin/sh /usr/local/bin/tell', LAST),
      },
      { path: '/usr/local/bin/tell', content: script },
    ],
    enable: ['tell.service'],
  };
}
