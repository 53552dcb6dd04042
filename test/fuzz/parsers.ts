import { APT } from './parsers/apt.ts';
import { DOCUMENTS } from './parsers/documents.ts';
import { PACKED } from './parsers/packed.ts';
import { RPM } from './parsers/rpm.ts';
import { RPM_TEXT } from './parsers/rpm-text.ts';
import type { Parser } from './property.ts';

export const PARSERS: readonly Parser[] = [...PACKED, ...APT, ...RPM, ...RPM_TEXT, ...DOCUMENTS];
