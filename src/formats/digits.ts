/** Runs of ASCII digits within a text, for the version orders. */

/** By value, whatever their length, and without making numbers of them. `from` inclusive, `to` exclusive. */
export function compareDigits(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): number {
  let i = aFrom;
  let j = bFrom;
  while (i < aTo && a.charCodeAt(i) === 48) i++;
  while (j < bTo && b.charCodeAt(j) === 48) j++;
  const aLength = Math.max(0, aTo - i);
  const bLength = Math.max(0, bTo - j);
  if (aLength !== bLength) return aLength - bLength;
  for (; i < aTo; i++, j++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(j);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
