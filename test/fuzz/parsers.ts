import { APT } from './parsers/apt.ts';
import { DOCUMENTS } from './parsers/documents.ts';
import { PACKED } from './parsers/packed.ts';
import { REQUESTS } from './parsers/requests.ts';
import { RPM } from './parsers/rpm.ts';
import { RPM_DOCUMENTS } from './parsers/rpm-documents.ts';
import { RPM_TEXT } from './parsers/rpm-text.ts';
import type { Parser } from './property.ts';

export const PARSERS: readonly Parser[] = [
  ...PACKED,
  ...APT,
  ...RPM,
  ...RPM_DOCUMENTS,
  ...RPM_TEXT,
  ...DOCUMENTS,
  ...REQUESTS,
];
