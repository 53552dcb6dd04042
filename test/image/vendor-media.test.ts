/** The pure parts of repacking: menus, checksums, answers. What they come to on real media: test/acceptance/vendor-iso.test.ts. */
import { describe, expect, test } from 'vitest';
import { checkAnswers } from '../../src/image/media/answers.ts';
import { changeMenu, dialectOf } from '../../src/image/media/boot-config.ts';
import { changeMd5sums, changeTreeinfo } from '../../src/image/media/checksums.ts';
import { MEDIA_FAMILIES } from '../../src/image/media/families.ts';

const { debian, ubuntu, rhel } = MEDIA_FAMILIES;

describe('a menu', () => {
  test('of GRUB: installers are told more, before the ---, and get the further initrd; others stay', () => {
    const text = `menuentry 'Install' {
    linux    /install.amd/vmlinuz vga=788 --- quiet
    initrd   /install.amd/gtk/initrd.gz
}
menuentry 'Rescue mode' {
    linux    /install.amd/vmlinuz rescue/enable=true --- quiet
    initrd   /install.amd/initrd.gz
}
menuentry 'Memory test' {
    linux16 /boot/memtest86+.bin
    initrd /install.amd/initrd.gz
}
`;
    expect(changeMenu(text, 'grub', debian.menu)).toEqual({
      entries: 1,
      text: `set timeout=5\n${text
        .replace('vga=788 --- quiet', 'vga=788 auto=true priority=critical --- quiet')
        .replace('gtk/initrd.gz', 'gtk/initrd.gz /preseed.cpio')}`,
    });
  });

  test('of GRUB: what would end a command is quoted, a timeout that is there is set', () => {
    const { text } = changeMenu('set timeout=30\nlinux\t/casper/vmlinuz  ---\n', 'grub', ubuntu.menu);
    expect(text).toBe("set timeout=5\nlinux\t/casper/vmlinuz autoinstall 'ds=nocloud;s=/cdrom/nocloud/' ---\n");
  });

  test('of isolinux: the kernel decides, wherever it stands; no other start comes by itself', () => {
    const text = `default vesamenu.c32
timeout 0
label install
\tappend vga=788 initrd=/install.amd/initrd.gz --- quiet
\tkernel /install.amd/vmlinuz
label rescue
\tkernel /install.amd/vmlinuz
\tappend initrd=/install.amd/initrd.gz rescue/enable=true --- quiet
label memtest
\tkernel memtest
\tappend initrd=x
timeout 300
ontimeout /install.amd/vmlinuz initrd=/install.amd/initrd.gz speakup.synth=soft --- quiet
menu autoboot Speech in # second{,s}
`;
    const changed = changeMenu(text, 'isolinux', debian.menu);
    expect(changed.entries).toBe(1);
    expect(changed.text).toBe(`default vesamenu.c32
timeout 50
label install
\tappend vga=788 initrd=/install.amd/initrd.gz,/preseed.cpio auto=true priority=critical --- quiet
\tkernel /install.amd/vmlinuz
label rescue
\tkernel /install.amd/vmlinuz
\tappend initrd=/install.amd/initrd.gz rescue/enable=true --- quiet
label memtest
\tkernel memtest
\tappend initrd=x
timeout 50
`);
  });

  test('of isolinux: a page of help waits as before', () => {
    const text = 'prompt 1\ndisplay f1.txt\ntimeout 0\n';
    expect(changeMenu(text, 'isolinux', debian.menu)).toEqual({ text, entries: 0 });
  });

  test('of Anaconda: the label is spelt as the vendor spells it', () => {
    const line = 'linuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=Rocky\\x209 quiet\n';
    expect(changeMenu(line, 'grub', rhel.menu).text).toBe(
      'set timeout=5\nlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=Rocky\\x209 quiet inst.ks=hd:LABEL=Rocky\\x209:/ks.cfg\n',
    );
    expect(() => changeMenu('linux /images/pxeboot/vmlinuz quiet\n', 'grub', rhel.menu)).toThrow(/inst\.stage2/);
  });

  test.each([
    ['/isolinux/txt.cfg', 'isolinux'],
    ['/boot/grub/grub.cfg', 'grub'],
    ['/EFI/BOOT/BOOT.conf', 'grub'],
    ['/isolinux/f1.txt', undefined],
  ])('%s is of %s', (path, dialect) => {
    expect(dialectOf(path)).toBe(dialect);
  });
});

describe('checksums', () => {
  test('md5sum.txt: what changed is replaced, what is new is added, the rest is the vendor’s', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
    const text = `${a}  ./boot/grub/grub.cfg\n${a}  ./install.amd/vmlinuz\n${a}  ./isolinux/isolinux.bin\n`;
    const changed = new Map([
      ['/boot/grub/grub.cfg', b as string],
      ['/site/extra.sh', c as string],
    ]);
    expect(changeMd5sums(text, changed, new Set(['/isolinux/isolinux.bin']))).toBe(
      `${a}  ./install.amd/vmlinuz\n${b}  ./boot/grub/grub.cfg\n${c}  ./site/extra.sh\n`,
    );
  });

  test('.treeinfo: images that changed', () => {
    const [old, fresh] = ['0'.repeat(64), '1'.repeat(64)];
    const text = `[checksums]\nimages/efiboot.img = sha256:${old}\nimages/install.img = sha256:${old}\n`;
    expect(changeTreeinfo(text, new Map([['/images/efiboot.img', fresh]]))).toBe(
      `[checksums]\nimages/efiboot.img = sha256:${fresh}\nimages/install.img = sha256:${old}\n`,
    );
  });
});

describe('answers', () => {
  const kickstart = 'text\nrootpw --lock\n%packages\n@core\n%end\n%post\nrootpw secret\n%end\n';
  test.each([
    ['debian', '# a comment\nd-i passwd/root-password-crypted password $6$a$b\nd-i a/b string \\\n  c; \\\n  d\n'],
    ['ubuntu', '#cloud-config\nautoinstall:\n  version: 1\n  identity: { password: "$6$a$b" }\n'],
    ['rhel', kickstart],
    ['rhel', 'user --name=ops --password=$6$a$b --iscrypted\n'],
  ] as const)('of %s are taken', (family, text) => {
    expect(() => checkAnswers(family, Buffer.from(text), 'answers')).not.toThrow();
  });

  test.each([
    ['debian', '\n', /answers: is empty/],
    ['debian', 'd-i a/b string c\r\n', /answers:1: has line ends of Windows/],
    ['debian', Buffer.from([0xff, 0xfe, 0x41]), /answers: is not UTF-8/],
    ['debian', '#cloud-config\nautoinstall:\n', /answers:2: is no line of a preseed/],
    ['debian', '\nd-i passwd/user-password password secret\n', /answers:2: holds a password that can be read/],
    ['debian', 'd-i passwd/root-password-again password secret\n', /answers:1: holds a password/],
    ['debian', 'd-i partman-crypto/passphrase password secret\n', /answers:1: holds a password/],
    ['ubuntu', 'autoinstall:\n  version: 1\n', /answers:1: does not begin with #cloud-config/],
    ['ubuntu', '#cloud-config\nautoinstall: [\n', /answers: /],
    ['ubuntu', '#cloud-config\nusers: []\n', /answers: has no `autoinstall:`/],
    [
      'ubuntu',
      '#cloud-config\nautoinstall: { version: 1, identity: { password: secret } }\n',
      /autoinstall\.identity\.password: holds/,
    ],
    [
      'ubuntu',
      '#cloud-config\nautoinstall: { version: 1, user-data: { users: [{ plain_text_passwd: a }] } }\n',
      /holds a password/,
    ],
    ['rhel', 'd-i a/b string c\n', /answers:1: d-i is no command of a kickstart/],
    ['rhel', 'text\n%packages\n@core\n', /has 1 sections .* and 0 %end/],
    ['rhel', 'rootpw secret\n', /answers:1: holds a password/],
    ['rhel', 'rootpw --plaintext secret\n', /answers:1: holds a password/],
    ['rhel', 'text\nuser --name=ops --password=secret\n', /answers:2: holds a password/],
    ['rhel', 'autopart --encrypted --passphrase=secret\n', /answers:1: holds a password/],
  ] as const)('of %s are refused: %j', (family, text, words) => {
    expect(() => checkAnswers(family, Buffer.from(text), 'answers')).toThrow(words);
  });
});
