/** Writes XML as the tools of rpm do: two spaces a level, one element a line. */
import type { XmlElement } from './elements.ts';
import { escapeAttribute, escapeText } from './escape.ts';

/** ` name="value"` for each; those that are `undefined` are left out. */
export function attributesText(attributes: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeAttribute(String(value))}"`))
    .join('');
}

/** With its indentation and a newline. Text beside children is written before them. */
export function elementText({ name, attributes, children, text }: XmlElement, level = 0): string {
  const indent = '  '.repeat(level);
  const start = `${indent}<${name}${attributesText(attributes)}`;
  const own = escapeText(children.length === 0 ? text : text.trim());
  if (children.length === 0) return own === '' ? `${start}/>\n` : `${start}>${own}</${name}>\n`;
  return `${start}>${own}\n${children.map((each) => elementText(each, level + 1)).join('')}${indent}</${name}>\n`;
}
