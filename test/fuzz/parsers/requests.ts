/** What a request says, and what asks for one. */
import { parseRetryAfter } from '../../../src/net/failures.ts';
import { parseNetrc } from '../../../src/net/netrc.ts';
import { parseUpstream } from '../../../src/net/url.ts';
import { parseHttpDate } from '../../../src/server/conditional.ts';
import { parseRange } from '../../../src/server/range.ts';
import { parseFileTarget, targetPath } from '../../../src/server/request-path.ts';
import type { Parser } from '../property.ts';
import { same } from '../same.ts';

const lines = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

export const REQUESTS: readonly Parser[] = [
  {
    name: 'netrc',
    samples: lines('machine a.b:8443/x login me password "#x"\nmacdef y\nz\n\ndefault login a password b # c\n'),
    tokens: ['machine ', 'login ', 'password ', 'default ', 'macdef '],
    run: (bytes) => parseNetrc(bytes.toString())?.(new URL('https://a.b:8443/x/y')),
  },
  {
    name: 'upstream',
    samples: lines('https://user:p%40ss@[::1]:8443/debian/?t=1#x', 'file:///srv/a', 'http://a'),
    run: (bytes) => {
      const { root: url } = parseUpstream(bytes.toString());
      return same(() => parseUpstream(url.href).root.href, url.href);
    },
  },
  {
    name: 'retry-after',
    samples: lines('120', 'Sun, 06 Nov 1994 08:49:37 GMT'),
    run: (bytes) => parseRetryAfter(bytes.toString(), 0),
  },
  {
    name: 'http-date',
    samples: lines('Sun, 06 Nov 1994 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'),
    run: (bytes) => parseHttpDate(bytes.toString()),
  },
  {
    name: 'range',
    samples: lines('bytes=0-9, 10-,-5', 'bytes=5-4'),
    tokens: ['bytes=', '-', ',', '0-0,', '9999999999999999-'],
    run: (bytes) => {
      const size = 1000;
      const ranges = parseRange(bytes.toString(), size) ?? [];
      if (ranges.some(({ start, end }) => !(start >= 0 && start < end && end <= size)))
        throw new Error('beyond the file');
    },
  },
  {
    name: 'request-path',
    samples: lines('/c/stable/debian/pool/a%2Bb.deb?x#y', 'http://a/s/1/m/./x//'),
    tokens: ['/c/', '/s/', '%2F', '%2e%2e', '%00', '%C3%28', '://', '+'],
    run: (bytes) => parseFileTarget(targetPath(bytes.toString())),
  },
];
