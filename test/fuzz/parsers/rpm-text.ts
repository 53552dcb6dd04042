/** Versions, dependencies and lists of rpm packages. */
import { dependencyText, parseDependency } from '../../../src/formats/rpm/dependency.ts';
import { parseRpmList, readingsOf } from '../../../src/formats/rpm/package-list.ts';
import { expandVars } from '../../../src/formats/rpm/variables.ts';
import { compareEvr, parseEvr } from '../../../src/formats/rpm/version.ts';
import type { Parser } from '../property.ts';
import { settles } from '../same.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

export const RPM_TEXT: readonly Parser[] = [
  {
    name: 'evr',
    samples: lines('1:2.0~rc1^20240101-3.el9', 'a-b-c', ':1'),
    tokens: ['~', '^', ':', '-', '0', '.'],
    run: (bytes) => {
      const text = bytes.toString();
      const [a, b] = [parseEvr(text), parseEvr(text.slice(0, text.length / 2))];
      const sum = Math.sign(compareEvr(a, b)) + Math.sign(compareEvr(b, a));
      if (sum !== 0 || compareEvr(a, a) !== 0) throw new Error('the order depends on which is first');
    },
  },
  {
    name: 'rpm-dependency',
    samples: lines('foo >= 1:2.0~rc1-1', '((a or b) and c)', '(a if b else (c with d < 2))', '(x() unless /bin/y)'),
    tokens: ['(', ')', ' or ', ' and ', ' if ', ' else ', ' unless ', ' with ', ' without ', ' >= 1', ' = 1:2-3'],
    run: (bytes) =>
      settles(parseDependency(bytes.toString(), 'f'), dependencyText, (text) => parseDependency(text, 'g')),
  },
  {
    name: 'rpm-list',
    samples: lines('bash-5.1-1.el9.x86_64\n=java-1.8.0-openjdk # x\nInstalled Packages\nbash.x86_64  1-1  @a\n'),
    tokens: ['-', '.', '=', '#', ':', '\n', 'gpg-pubkey-'],
    run: (bytes) => parseRpmList(bytes.toString(), 'f').map(({ text }) => readingsOf(text)),
  },
  {
    name: 'variables',
    samples: lines('https://a/$releasever/$\u007bbasearch}/$x'),
    tokens: ['$', '${', '}', '$basearch'],
    run: (bytes) => expandVars(bytes.toString(), { releasever: '9', basearch: 'x86_64' }),
  },
];
